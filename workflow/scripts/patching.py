"""Rule patching: patching of every head at the perturbed position, and of the residual stream."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.localization import patching
from memloc.model import loading
from memloc.perturbation.pairs import Pairs
from memloc.run.progress import Progress

settings = job.settings
perturbed = job.read("perturbed_paragraphs")
paragraphs = job.read("paragraphs", ["id", "tokens"], perturbed.id)
rows, batch = job.shard(len(perturbed)), settings.patching.micro_batch

model = loading.load_model(job.input.folder, settings.loading)
exact = patching.wants_exact(settings.patching.exact, model)
how = "every patch run" if exact else "patches estimated to first order"
job.log(f"{len(rows)} of {len(perturbed)} pairs, {how}")
progress = Progress(len(rows), "pairs")
with job.writing() as append:
    for row in rows:
        pair = Pairs.from_tables(paragraphs, perturbed[row : row + 1])
        change = estimate = patching.attribution_patching(model, pair)
        if exact:
            change = patching.activation_patching(model, pair, batch)
        residual = patching.residual_patching(model, pair, batch)
        append(patching=change, attribution_patching=estimate, residual_patching=residual)
        progress.advance()
