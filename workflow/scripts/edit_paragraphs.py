"""Rules unlearn_paragraphs and edit_paragraphs: edit memorized paragraphs, or a shard of them."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.editing.steps import Recipe
from memloc.localization.highlight import highlighted_head
from memloc.model import loading
from memloc.removal.edit_cases import edit_cases, with_text_to_learn
from memloc.removal.editing import run_edits
from memloc.run.progress import Progress

settings, objective = job.settings, job.params.objective
how, n_prefix = settings.editing, settings.paragraph.prefix
found = {name: job.read(name) for name in job.tables}
head = highlighted_head(found, settings)
cases = with_text_to_learn(edit_cases(found, n_prefix, job.seed, how), objective)
rows = job.shard(len(cases))

subject = loading.load(job.input.folder, settings, how.micro_batch, editing=True)
results = run_edits(subject, cases, Recipe(objective, how), head, job.seed, rows)
progress, edited = Progress(len(rows), "paragraphs"), set()
with job.writing() as append:
    for result in results:
        append(edits=result)
        edited.update(result["id"])
        progress.at(len(edited))
