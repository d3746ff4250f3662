"""Rule compare_activation_gradients: size of the activation gradients of every paragraph."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd

from memloc.data.paragraphs import paired_tokens, sampled_tokens, used_ids
from memloc.localization.activation_gradients import layer_sums, prefix_sizes
from memloc.model import loading
from memloc.tables.terms.sets import PARTLY, SET_NAMES

settings, n_prefix = job.settings, job.settings.paragraph.prefix
sets = job.read("sets")
paragraphs = job.read("paragraphs", ["id", "tokens"], used_ids(sets))

bridge = loading.boot_bridge(loading.load_model(job.input.folder, settings.loading))
how, sums = settings.activation_gradients, []
drawn = set(sets.loc[sets.sampled, "set"])
for name in SET_NAMES:
    if name not in drawn and name in PARTLY:
        continue
    ids, tokens = sampled_tokens(paragraphs, sets, name, n_prefix)
    job.log(f"{name}: {len(tokens)} paragraphs")
    sums.append(layer_sums(prefix_sizes(bridge, tokens, n_prefix, how), ids))
ids, tokens = paired_tokens(paragraphs, sets[~sets.sampled], n_prefix)
job.log(f"paired, not sampled: {len(tokens)} paragraphs")
if len(tokens):
    sums.append(layer_sums(prefix_sizes(bridge, tokens, n_prefix, how), ids))
job.write(paragraph_activations=pd.concat(sums, ignore_index=True))
