"""Rule rank_heads: rank of every head by every method, on resampled paragraphs too, and their agreement."""

from memloc.rule import log, provenance, start

start(snakemake)

from pathlib import Path

from memloc import head_ranking, tables
from memloc.seeds import generator

stamp = provenance(snakemake)
found = {Path(path).stem: tables.read(Path(path).stem, path) for path in snakemake.input.tables}
shape = {"n_prefix": snakemake.params.settings["paragraph"]["prefix"], "n_heads": stamp["model"]["n_heads"]}
ranking = head_ranking.rank_heads(head_ranking.method_scores(found, **shape))
for row in ranking[ranking["rank"] == 1].itertuples():
    log(f"{row.method}: layer {row.layer}, head {row.head}")
sampled = head_ranking.sample_scores(found, **shape, rng=generator(snakemake.params.seed, "rank_samples"))
ranks = head_ranking.sample_ranks(sampled)
tables.write("head_ranking", head_ranking.with_intervals(ranking, ranks), snakemake.output.ranking, stamp)
tables.write("head_rank_samples", ranks, snakemake.output.samples, stamp)
tables.write("ranking_agreement", head_ranking.agreement(ranking, ranks), snakemake.output.agreement, stamp)
