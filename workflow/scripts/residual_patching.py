"""Rule residual_patching: patch the residual stream of every layer and position, one at a time."""

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
job.log(f"{len(rows)} of {len(perturbed)} pairs")

model = loading.load_for_inference(job.input.folder, settings.loading)
progress = Progress(len(rows), "pairs")
with job.writing() as append:
    for row in rows:
        pair = Pairs.from_tables(paragraphs, perturbed[row : row + 1])
        append(residual_patching=patching.residual_patching(model, pair, settings.patching.micro_batch))
        progress.advance()
