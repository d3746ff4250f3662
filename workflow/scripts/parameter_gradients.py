"""Rule parameter_gradients: gradients of the weights for every set and objective, and their similarity."""

from memloc.rule import log, provenance, start

start(snakemake)

import pandas as pd

from memloc import models, tables
from memloc.contrastive import contrastive_attribution
from memloc.paragraphs import sampled_tokens, used_ids
from memloc.parameter_gradients import compare_groups
from memloc.seeds import generator
from memloc.sets import PARTLY

settings = snakemake.params.settings
n_prefix = settings["paragraph"]["prefix"]
sets = tables.read("sets", snakemake.input.sets)
paragraphs = tables.read("paragraphs", snakemake.input.paragraphs, ["id", "tokens"], used_ids(sets))
drawn = set(sets.loc[sets.sampled, "set"])
groups = [name for name in ("memorized", "non_memorized", *PARTLY) if name in drawn]
samples = {name: sampled_tokens(paragraphs, sets, name, n_prefix)[1] for name in groups}
log(", ".join(f"{name}: {len(tokens)} paragraphs" for name, tokens in samples.items()))

model = models.load_model(snakemake.input.folder, **settings["loading"])
comparison = compare_groups(model, samples, n_prefix, **settings["parameter_gradients"])
contrastive = contrastive_attribution(
    model,
    samples["memorized"],
    samples["non_memorized"],
    n_prefix,
    generator(snakemake.params.seed, "contrastive"),
    **settings["contrastive"],
)
gradients = pd.concat([comparison.scores, contrastive], ignore_index=True)
stamp = provenance(snakemake)
tables.write("parameter_gradients", gradients, snakemake.output.gradients, stamp)
tables.write("gradient_similarity", comparison.similarity, snakemake.output.similarity, stamp)
