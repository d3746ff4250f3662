"""Rule rank_heads: rank of every head by every method, on resampled paragraphs too."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.localization import head_ranking, head_scores
from memloc.run.seeds import generator

found = {name: job.read(name) for name in job.tables}
shape = {"n_prefix": job.settings.paragraph.prefix, "n_heads": job.stamp["model"]["n_heads"]}
ranking = head_ranking.rank_heads(head_scores.method_scores(found, **shape))
sampled = head_scores.sample_scores(found, **shape, rng=generator(job.seed, "rank_samples"))
ranks = head_ranking.sample_ranks(sampled)
job.write(head_ranking=head_ranking.with_intervals(ranking, ranks), head_rank_samples=ranks)
