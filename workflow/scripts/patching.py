"""Rule patching: exact and first-order patching of every head at the perturbed position."""

from memloc.run.rule import log, provenance, start

start(snakemake)

from memloc.localization import patching
from memloc.model import loading
from memloc.perturbation.pairs import Pairs
from memloc.run.progress import Progress
from memloc.run.shards import shard_rows
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schemas.paragraphs import PARAGRAPHS
from memloc.tables.schemas.patching import ATTRIBUTION_PATCHING, PATCHING
from memloc.tables.schemas.perturbation import PERTURBED_PARAGRAPHS

settings, output = sections(snakemake.params.settings), snakemake.output
perturbed = storage.read(PERTURBED_PARAGRAPHS, snakemake.input.perturbed)
paragraphs = storage.read(PARAGRAPHS, snakemake.input.paragraphs, ["id", "tokens"], perturbed.id)
rows = shard_rows(len(perturbed), *snakemake.params.shard, micro_batch=1)

model = loading.load_for_inference(snakemake.input.folder, settings.loading)
exact = patching.wants_exact(settings.patching.exact, model)
how = "every patch run" if exact else "patches estimated to first order"
log(f"{len(rows)} of {len(perturbed)} pairs, {how}")
stamp, progress = provenance(snakemake), Progress(len(rows), "pairs")
with (
    storage.writer(PATCHING, output.patching, stamp) as changes,
    storage.writer(ATTRIBUTION_PATCHING, output.attribution_patching, stamp) as estimates,
):
    for row in rows:
        pair = Pairs.from_tables(paragraphs, perturbed[row : row + 1])
        estimate = patching.attribution_patching(model, pair)
        estimates.append(estimate)
        if exact:
            estimate = patching.activation_patching(model, pair, settings.patching.micro_batch)
        changes.append(estimate)
        progress.advance()
