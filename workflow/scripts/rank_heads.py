"""Rule rank_heads: rank of every head by every method, on resampled paragraphs too, and their agreement."""

from memloc.run.rule import log, provenance, start

start(snakemake)

from pathlib import Path

from memloc.localization import head_ranking
from memloc.run.seeds import generator
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schema import by_name
from memloc.tables.schemas.activation_gradients import ACTIVATION_GRADIENTS
from memloc.tables.schemas.head_ranking import HEAD_RANK_SAMPLES, HEAD_RANKING, RANKING_AGREEMENT
from memloc.tables.schemas.parameter_gradients import PARAMETER_GRADIENT_SAMPLES, PARAMETER_GRADIENTS
from memloc.tables.schemas.patching import PATCHING
from memloc.tables.schemas.planted_truth import PLANTED_TRUTH
from memloc.tables.schemas.rare_tokens import RARE_TOKEN_CORRELATION, RARE_TOKEN_GROUPS

SCHEMAS = by_name(
    ACTIVATION_GRADIENTS,
    HEAD_RANK_SAMPLES,
    HEAD_RANKING,
    PARAMETER_GRADIENT_SAMPLES,
    PARAMETER_GRADIENTS,
    PATCHING,
    PLANTED_TRUTH,
    RANKING_AGREEMENT,
    RARE_TOKEN_CORRELATION,
    RARE_TOKEN_GROUPS,
)

stamp = provenance(snakemake)
found = {Path(path).stem: storage.read(SCHEMAS[Path(path).stem], path) for path in snakemake.input.tables}
n_prefix = sections(snakemake.params.settings).paragraph.prefix
shape = {"n_prefix": n_prefix, "n_heads": stamp["model"]["n_heads"]}
weights = head_ranking.method_weights(found.get("planted_truth"))
ranking = head_ranking.rank_heads(head_ranking.method_scores(found, **shape), weights)
for row in ranking[ranking["rank"] == 1].itertuples():
    log(f"{row.method}: layer {row.layer}, head {row.head}")
sampled = head_ranking.sample_scores(found, **shape, rng=generator(snakemake.params.seed, "rank_samples"))
ranks = head_ranking.sample_ranks(sampled, weights)
storage.write(HEAD_RANKING, head_ranking.with_intervals(ranking, ranks), snakemake.output.ranking, stamp)
storage.write(HEAD_RANK_SAMPLES, ranks, snakemake.output.samples, stamp)
storage.write(RANKING_AGREEMENT, head_ranking.agreement(ranking, ranks), snakemake.output.agreement, stamp)
