"""Rule compare_halves: scores of every paragraph by models trained on it, and by other models."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd

from memloc.data.sets import exposure
from memloc.scoring.counterfactual import counterfactual

n_continuation = job.settings.paragraph.continuation
found = counterfactual(job.read("half_scores"), n_continuation)
about = job.read("paragraphs", ["id", "count", "continuation_count"])
about = about.assign(repeats=exposure(about))[["id", "repeats"]]
pieces = (
    piece[(piece.n_seen == job.settings.paragraph.prefix) & (piece.features == "nll")]
    for piece in job.batches("prefix_features", ["id", "n_seen", "features", "value"])
)
prefix_nll = pd.concat(pieces).set_index("id")["value"].astype(float)
found = found.merge(about, on="id").merge(job.read("scores", ["id", "em"]), on="id")
found = found.join(prefix_nll.rename("prefix_nll"), on="id")
job.write(counterfactual=found)
