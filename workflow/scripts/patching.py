"""Rule patching: exact and first-order patching of every head at the perturbed position."""

from memloc.rule import log, provenance, start

start(snakemake)

from memloc import models, patching, tables
from memloc.shards import shard_rows

settings, output = snakemake.params.settings, snakemake.output
perturbed = tables.read("perturbed_paragraphs", snakemake.input.perturbed)
paragraphs = tables.read("paragraphs", snakemake.input.paragraphs, ["id", "tokens"], perturbed.id)
rows = shard_rows(len(perturbed), *snakemake.params.shard, micro_batch=1)

model = models.load_for_inference(snakemake.input.folder, **settings["loading"])
exact = patching.wants_exact(settings["patching"]["exact"], model)
how = "every patch run" if exact else "patches estimated to first order"
log(f"{len(rows)} of {len(perturbed)} pairs, {how}")
stamp = provenance(snakemake)
with (
    tables.writer("patching", output.patching, stamp) as changes,
    tables.writer("attribution_patching", output.attribution_patching, stamp) as estimates,
):
    for row in rows:
        pair = patching.Pairs.from_tables(paragraphs, perturbed[row : row + 1])
        estimate = patching.attribution_patching(model, pair)
        estimates.append(estimate)
        if exact:
            estimate = patching.activation_patching(model, pair, settings["patching"]["micro_batch"])
        changes.append(estimate)
        log(f"paragraph {pair.ids[0]}")
