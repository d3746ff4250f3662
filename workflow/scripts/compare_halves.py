"""Rule compare_halves: scores of every paragraph by models trained on it, by other models, by detectors."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd

from memloc.data.sets import exposure
from memloc.scoring.counterfactual import counterfactual

n_continuation = job.settings.paragraph.continuation
found = counterfactual(job.read("half_scores"), n_continuation)
about = job.read("paragraphs", ["id", "count", "continuation_count"])
about = about.assign(repeats=exposure(about), elsewhere=about.continuation_count > about["count"])
chances = job.read("extraction", ["id", "scheme", "log_p"])
chances = chances[chances.scheme == chances.scheme.iloc[0]]
pieces = (
    piece[(piece.n_seen == job.settings.paragraph.prefix) & piece.features.isin(["nll", "min_k"])]
    for piece in job.batches("prefix_features", ["id", "n_seen", "features", "value"])
)
prefixes = pd.concat(pieces, ignore_index=True).astype({"features": str})
prefixes = prefixes.pivot(index="id", columns="features", values="value").reindex(columns=["nll", "min_k"])
found = found.merge(about[["id", "repeats", "elsewhere"]], on="id")
found = found.merge(job.read("scores", ["id", "em"]), on="id").merge(chances[["id", "log_p"]], on="id")
found = found.join(prefixes.astype(float).add_prefix("prefix_"), on="id")
job.write(counterfactual=found)
