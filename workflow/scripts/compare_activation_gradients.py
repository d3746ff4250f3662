"""Rule compare_activation_gradients: direction and size of activation gradients of every set."""

from memloc.rule import log, provenance, start

start(snakemake)

import pandas as pd

from memloc import models, tables
from memloc.activation_gradients import prefix_gradients, prefix_sizes
from memloc.gradient_similarity import activation_cosine
from memloc.paragraphs import sampled_tokens, used_ids
from memloc.sets import PARTLY

settings = snakemake.params.settings
n_prefix = settings["paragraph"]["prefix"]
sets = tables.read("sets", snakemake.input.sets)
paragraphs = tables.read("paragraphs", snakemake.input.paragraphs, ["id", "tokens"], used_ids(sets))

bridge = models.load_bridge(snakemake.input.folder, **settings["loading"])
how, vectors, sizes = settings["activation_gradients"], {}, []
drawn = set(sets.loc[sets.sampled, "set"])
for name in tables.SETS:
    if name not in drawn and name in PARTLY:
        continue
    _, tokens = sampled_tokens(paragraphs, sets, name, n_prefix)
    log(f"{name}: {len(tokens)} paragraphs")
    sizes.append(prefix_sizes(bridge, tokens, n_prefix, **how).assign(group=name, n_paragraphs=len(tokens)))
    if name not in PARTLY:
        vectors[name] = prefix_gradients(bridge, tokens, n_prefix, **how)
stamp = provenance(snakemake)
tables.write("activation_similarity", activation_cosine(**vectors), snakemake.output.similarity, stamp)
tables.write("activation_bins", pd.concat(sizes, ignore_index=True), snakemake.output.bins, stamp)
