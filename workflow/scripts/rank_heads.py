"""Rule rank_heads: rank of every head by every method, and the agreement of the methods."""

from memloc.rule import log, provenance, start

start(snakemake)

from pathlib import Path

from memloc import head_ranking, tables

stamp = provenance(snakemake)
found = {Path(path).stem: tables.read(Path(path).stem, path) for path in snakemake.input.tables}
scores = head_ranking.method_scores(
    found, n_prefix=snakemake.params.settings["paragraph"]["prefix"], n_heads=stamp["model"]["n_heads"]
)
ranking = head_ranking.rank_heads(scores)
for row in ranking[ranking["rank"] == 1].itertuples():
    log(f"{row.method}: layer {row.layer}, head {row.head}")
tables.write("head_ranking", ranking, snakemake.output.ranking, stamp)
tables.write("ranking_agreement", head_ranking.agreement(ranking), snakemake.output.agreement, stamp)
