"""Rule disturb_weights: disturb the weights with the largest contrastive gradients, and random ones."""

from memloc.rule import log, provenance, start

start(snakemake)

from memloc import models, tables
from memloc.edit_cases import text_groups
from memloc.gradients import nll_gradients
from memloc.weight_noise import disturb_weights

settings, source = snakemake.params.settings, snakemake.input
options, n_prefix = dict(settings["weight_noise"]), settings["paragraph"]["prefix"]
paragraphs = tables.read("paragraphs", source.paragraphs, ["id", "tokens"])
sets = tables.read("sets", source.sets)
counts = {name: options.pop(name) for name in ("n_paragraphs", "n_held_out")}
groups = text_groups(paragraphs, sets, n_prefix, snakemake.params.seed, **counts)
texts = {name: tokens for name, (_, tokens) in groups.items()}

model = models.load_model(source.folder, **settings["loading"])
# At the original weights the gradient of the contrastive objective is that of its NLL term, but for the sign.
gradients = nll_gradients(model, texts["memorized"], n_prefix, options["micro_batch"])
frame = disturb_weights(model, texts, gradients, n_prefix=n_prefix, seed=snakemake.params.seed, **options)
log(frame.groupby(["arm", "kind", "size"], dropna=False)["em_memorized"].mean().to_string())
tables.write("weight_noise", frame, snakemake.output[0], provenance(snakemake))
