"""Rule patching: exact and first-order patching of every head at the perturbed position."""

from memloc.rule import log, provenance, start

start(snakemake)

from memloc import models, patching, tables

settings = snakemake.params.settings
micro_batch = settings["patching"]["micro_batch"]
paragraphs = tables.read("paragraphs", snakemake.input.paragraphs)
perturbed = tables.read("perturbed_paragraphs", snakemake.input.perturbed)
pairs = patching.Pairs.from_tables(paragraphs, perturbed)
log(f"{len(pairs.ids)} pairs")

bridge = models.load_bridge(snakemake.input.folder, **settings["loading"])
exact = patching.activation_patching(bridge, pairs, micro_batch)
tables.write("patching", exact, snakemake.output.exact, provenance(snakemake))
estimate = patching.attribution_patching(bridge, pairs, micro_batch)
tables.write("attribution_patching", estimate, snakemake.output.estimate, provenance(snakemake))
