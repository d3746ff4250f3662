"""Rule residual_patching: patch the residual stream of every layer and position, one at a time."""

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
from memloc.tables.schemas.patching import RESIDUAL_PATCHING
from memloc.tables.schemas.perturbation import PERTURBED_PARAGRAPHS

settings = sections(snakemake.params.settings)
perturbed = storage.read(PERTURBED_PARAGRAPHS, snakemake.input.perturbed)
paragraphs = storage.read(PARAGRAPHS, snakemake.input.paragraphs, ["id", "tokens"], perturbed.id)
rows = shard_rows(len(perturbed), *snakemake.params.shard, micro_batch=1)
log(f"{len(rows)} of {len(perturbed)} pairs")

model = loading.load_for_inference(snakemake.input.folder, settings.loading)
progress = Progress(len(rows), "pairs")
with storage.writer(RESIDUAL_PATCHING, snakemake.output[0], provenance(snakemake)) as table:
    for row in rows:
        pair = Pairs.from_tables(paragraphs, perturbed[row : row + 1])
        table.append(patching.residual_patching(model, pair, settings.patching.micro_batch))
        progress.advance()
