"""Rule compare_activation_gradients: direction and size of activation gradients of every set."""

from memloc.run.rule import log, provenance, start

start(snakemake)

import pandas as pd

from memloc.data.paragraphs import sampled_tokens, used_ids
from memloc.tables.terms.sets import PARTLY
from memloc.localization.activation_gradients import prefix_gradients, prefix_sizes
from memloc.localization.gradient_similarity import activation_cosine
from memloc.model import loading
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schemas.activation_gradients import ACTIVATION_BINS, ACTIVATION_SIMILARITY
from memloc.tables.schemas.paragraphs import PARAGRAPHS
from memloc.tables.schemas.sets import SETS
from memloc.tables.terms.sets import SET_NAMES

settings = sections(snakemake.params.settings)
n_prefix = settings.paragraph.prefix
sets = storage.read(SETS, snakemake.input.sets)
paragraphs = storage.read(PARAGRAPHS, snakemake.input.paragraphs, ["id", "tokens"], used_ids(sets))

bridge = loading.load_bridge(snakemake.input.folder, settings.loading)
how, vectors, sizes = settings.activation_gradients, {}, []
drawn = set(sets.loc[sets.sampled, "set"])
for name in SET_NAMES:
    if name not in drawn and name in PARTLY:
        continue
    _, tokens = sampled_tokens(paragraphs, sets, name, n_prefix)
    log(f"{name}: {len(tokens)} paragraphs")
    sizes.append(prefix_sizes(bridge, tokens, n_prefix, how).assign(group=name, n_paragraphs=len(tokens)))
    if name not in PARTLY:
        vectors[name] = prefix_gradients(bridge, tokens, n_prefix, how)
stamp = provenance(snakemake)
storage.write(ACTIVATION_SIMILARITY, activation_cosine(**vectors), snakemake.output.similarity, stamp)
storage.write(ACTIVATION_BINS, pd.concat(sizes, ignore_index=True), snakemake.output.bins, stamp)
