"""Rule compare_activation_gradients: cosine of the activation gradients of memorized and other paragraphs."""

from memloc.rule import log, provenance, start

start(snakemake)

from memloc import models, tables
from memloc.activation_gradients import prefix_gradients
from memloc.gradient_similarity import activation_cosine
from memloc.paragraphs import sampled_tokens, used_ids

settings = snakemake.params.settings
n_prefix = settings["paragraph"]["prefix"]
sets = tables.read("sets", snakemake.input.sets)
paragraphs = tables.read("paragraphs", snakemake.input.paragraphs, ["id", "tokens"], used_ids(sets))

bridge = models.load_bridge(snakemake.input.folder, **settings["loading"])
vectors = {}
for name in ("memorized", "non_memorized"):
    _, tokens = sampled_tokens(paragraphs, sets, name, n_prefix)
    log(f"{name}: {len(tokens)} paragraphs")
    vectors[name] = prefix_gradients(bridge, tokens, n_prefix, **settings["activation_gradients"])
tables.write(
    "activation_similarity", activation_cosine(**vectors), snakemake.output[0], provenance(snakemake)
)
