"""Rule patching: patch every head at the perturbed position; exactly where asked for, and to first order."""

from memloc.rule import log, provenance, start

start(snakemake)

from memloc import models, patching, tables

settings = snakemake.params.settings
paragraphs = tables.read("paragraphs", snakemake.input.paragraphs)
perturbed = tables.read("perturbed_paragraphs", snakemake.input.perturbed)
pairs = patching.Pairs.from_tables(paragraphs, perturbed)

model = models.load_model(snakemake.input.folder, **settings["loading"])
exact = patching.wants_exact(settings["patching"]["exact"], model)
log(f"{len(pairs.ids)} pairs, {'every patch run' if exact else 'patches estimated to first order'}")
estimate = patching.attribution_patching(model, pairs)
tables.write("attribution_patching", estimate, snakemake.output.estimate, provenance(snakemake))
if exact:
    changes = patching.activation_patching(model, pairs, settings["patching"]["micro_batch"])
else:
    changes = estimate
tables.write("patching", changes, snakemake.output.changes, provenance(snakemake))
