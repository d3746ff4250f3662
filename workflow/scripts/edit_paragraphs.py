"""Rules unlearn_paragraphs and edit_paragraphs: edit memorized paragraphs, or a shard of them."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.editing.steps import Recipe
from memloc.model import loading
from memloc.removal.edit_cases import edit_cases, with_text_to_learn
from memloc.removal.editing import edit_case
from memloc.run.progress import Progress

settings, objective = job.settings, job.params.objective
how, n_prefix = settings.editing, settings.paragraph.prefix
found = {name: job.read(name) for name in job.tables}
cases = with_text_to_learn(edit_cases(found, n_prefix, job.seed, how), objective)
rows = job.shard(len(cases))

subject = loading.load(job.input.folder, settings, 16, editing=True)
recipe, progress = Recipe(objective, how), Progress(len(rows), "paragraphs")
with job.writing() as append:
    for row in rows:
        append(edits=edit_case(subject, cases[row], recipe, job.seed))
        progress.advance()
