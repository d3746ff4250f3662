"""Rule rare_tokens: attention by token rarity, and its correlation with the rarity for every head."""

from memloc.tables.job import start

job = start(snakemake)

import numpy as np

from memloc.localization import rare_tokens
from memloc.run.seeds import generator

n_prefix = job.settings.paragraph.prefix
paragraphs = job.read("paragraphs", ["id", "tokens"]).set_index("id")
sets = job.read("sets")
attention = job.read("attention")

sample = sets.id[sets.sampled_rare_tokens]
ids, attention = rare_tokens.attention_array(attention[attention.id.isin(sample)])
corpus = np.stack(paragraphs.tokens.loc[sets.id[sets.set.isin(["memorized", "non_memorized"])]])
counts = np.bincount(corpus.ravel())
prefix = np.stack(paragraphs.tokens.loc[ids])[:, :n_prefix]
ranks = rare_tokens.prefix_ranks(prefix, counts)

null = rare_tokens.null_sums(attention, ranks, rare_tokens.N_PERMUTATIONS, generator(job.seed, "rare_tokens"))
by_rank = rare_tokens.rank_attention(attention, ranks).join(rare_tokens.rank_null(null, ranks))
correlation = rare_tokens.rank_correlation(attention, ranks, null).assign(
    n_paragraphs=len(ids), n_unique_tokens=(counts > 0).sum(), n_permutations=rare_tokens.N_PERMUTATIONS
)
job.write(
    rare_tokens=by_rank,
    rare_token_correlation=correlation,
    rare_token_groups=rare_tokens.rank_groups(attention, ranks),
)
