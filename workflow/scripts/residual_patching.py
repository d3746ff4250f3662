"""Rule residual_patching: patch the residual stream of every layer and position, one at a time."""

from memloc.rule import log, provenance, start

start(snakemake)

from memloc import models, patching, tables
from memloc.shards import shard_rows

settings = snakemake.params.settings
perturbed = tables.read("perturbed_paragraphs", snakemake.input.perturbed)
paragraphs = tables.read("paragraphs", snakemake.input.paragraphs, ["id", "tokens"], perturbed.id)
rows = shard_rows(len(perturbed), *snakemake.params.shard, micro_batch=1)
log(f"{len(rows)} of {len(perturbed)} pairs")

model = models.load_for_inference(snakemake.input.folder, **settings["loading"])
with tables.writer("residual_patching", snakemake.output[0], provenance(snakemake)) as table:
    for row in rows:
        pair = patching.Pairs.from_tables(paragraphs, perturbed[row : row + 1])
        table.append(patching.residual_patching(model, pair, settings["patching"]["micro_batch"]))
        log(f"paragraph {pair.ids[0]}")
