"""Rule rare_tokens: attention by token rarity, and its correlation with the rarity for every head."""

from memloc.rule import log, provenance, start

start(snakemake)

from memloc import rare_tokens, tables
from memloc.attention import attention_array
from memloc.paragraphs import token_tensor
from memloc.seeds import generator

settings = snakemake.params.settings
n_prefix = settings["paragraph"]["prefix"]
n_permutations = settings["rare_tokens"]["n_permutations"]
paragraphs = tables.read("paragraphs", snakemake.input.paragraphs, ["id", "tokens"]).set_index("id")
sets = tables.read("sets", snakemake.input.sets)
attention = tables.read("attention", snakemake.input.attention)

sample = sets.id[sets.sampled_rare_tokens]
ids, attention = attention_array(attention[attention.id.isin(sample)])
corpus = token_tensor(paragraphs.tokens.loc[sets.id[sets.set.isin(["memorized", "non_memorized"])]]).numpy()
counts = rare_tokens.unigram_counts(corpus, n_vocabulary=corpus.max() + 1)
prefix = token_tensor(paragraphs.tokens.loc[ids]).numpy()[:, :n_prefix]
ranks = rare_tokens.prefix_ranks(prefix, counts)
log(f"{len(ids)} paragraphs; {len(corpus)} paragraphs hold {(counts > 0).sum()} different tokens")


def permutations():
    """The same stream for both tables, so that both show one null."""
    return n_permutations, generator(snakemake.params.seed, "rare_tokens")


by_rank = rare_tokens.rank_attention(attention, ranks).join(
    rare_tokens.rank_null(attention, ranks, *permutations())
)
correlation = rare_tokens.rank_correlation(attention, ranks, *permutations()).assign(
    n_paragraphs=len(ids), n_unique_tokens=(counts > 0).sum(), n_permutations=n_permutations
)
found = {
    "rare_tokens": by_rank,
    "rare_token_correlation": correlation,
    "rare_token_groups": rare_tokens.rank_groups(attention, ranks),
    "token_attention": rare_tokens.token_attention(attention, prefix, counts),
}
for (name, frame), path in zip(found.items(), snakemake.output, strict=True):
    tables.write(name, frame, path, provenance(snakemake))
