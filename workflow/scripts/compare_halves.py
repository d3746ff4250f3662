"""Rule compare_halves: scores of every paragraph by models trained on it, and by other models."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd

from memloc.data.sets import exposure
from memloc.scoring.counterfactual import comes_out, counterfactual
from memloc.scoring.kinds import kind_of

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
copies = found.id.map(job.read("near_copies", ["id", "within_0"]).set_index("id").within_0)
judged = (found.em == n_continuation) & comes_out(found.recited_with)
found["kind"] = kind_of(comes_out(found.recited_without), copies).where(judged)
found["kind_by_rule"] = found.id.map(job.read("kinds", ["id", "kind"]).set_index("id").kind)
job.write(counterfactual=found)
