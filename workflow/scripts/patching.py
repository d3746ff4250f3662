"""Rule patching: patching of every head at the perturbed position."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.localization import patching
from memloc.model import loading
from memloc.perturbation.pairs import Pairs
from memloc.run.progress import Progress

settings = job.settings
perturbed = job.read("perturbed_paragraphs")
paragraphs = job.read("paragraphs", ["id", "tokens"], perturbed.id)
rows = job.shard(len(perturbed))

subject = loading.load(job.input.folder, settings, 64)
exact = patching.wants_exact(settings.patching.exact, subject)
progress = Progress(len(rows), "pairs")
with job.writing() as append:
    for row in rows:
        pair = Pairs.from_tables(paragraphs, perturbed[row : row + 1])
        change = estimate = patching.attribution_patching(subject, pair)
        if exact:
            change = patching.activation_patching(subject, pair)
        append(patching=change, attribution_patching=estimate)
        progress.advance()
