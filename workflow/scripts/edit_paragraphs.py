"""Rule edit_paragraphs: unlearn and edit memorized paragraphs one by one (paper 5.3), or a shard of them."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.editing.steps import Recipe
from memloc.model import loading
from memloc.removal.edit_cases import edit_cases, with_text_to_learn
from memloc.removal.editing import edit_case
from memloc.run.progress import Progress
from memloc.tables.schemas.edits import OBJECTIVES

settings = job.settings
how, n_prefix = settings.editing, settings.paragraph.prefix
cases = edit_cases({name: job.read(name) for name in job.tables}, n_prefix, job.seed, how)
edits = [
    (case, Recipe(objective, how))
    for objective in OBJECTIVES
    for case in with_text_to_learn(cases, objective)
]
rows = job.shard(len(edits))

subject = loading.load(job.input.folder, settings, 16, editing=True)
progress = Progress(len(rows), "edits")
with job.writing() as append:
    for case, recipe in edits[rows.start : rows.stop]:
        append(edits=edit_case(subject, case, recipe, job.seed))
        progress.advance()
