"""Rule residual_patching: patch the residual stream of every layer and position, one at a time."""

from memloc.rule import log, provenance, start

start(snakemake)

from memloc import models, patching, tables

settings = snakemake.params.settings
paragraphs = tables.read("paragraphs", snakemake.input.paragraphs)
perturbed = tables.read("perturbed_paragraphs", snakemake.input.perturbed)
pairs = patching.Pairs.from_tables(paragraphs, perturbed)
log(f"{len(pairs.ids)} pairs")

model = models.load_model(snakemake.input.folder, **settings["loading"])
frame = patching.residual_patching(model, pairs, settings["patching"]["micro_batch"])
tables.write("residual_patching", frame, snakemake.output[0], provenance(snakemake))
