"""Rule scores: exact match, NLL and probability of every kept paragraph, or of one shard of them."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd

from memloc.data.filters import kept_pieces, kept_rows
from memloc.data.paragraphs import token_tensor
from memloc.model import loading
from memloc.run.progress import Progress
from memloc.run.shards import regrouped
from memloc.scoring.extraction import score_and_extract
from memloc.tables.columns import Lengths
from memloc.tables.schemas import schema_of
from memloc.tables.storage import ROWS

settings = job.settings
# If published numbers come from the authors' filter, the paragraphs that it keeps are scored, too.
dropped = job.read("dropped_paragraphs").id
if "dropped_reference" in job.tables:
    dropped = dropped[dropped.isin(job.read("dropped_reference").id)]
kept = kept_rows(job.read("paragraphs", ["id"]).id, dropped)

subject, threshold = loading.load(job.input.folder, settings, 64), settings.scores.margin_threshold
micro_batch = subject.micro_batch
rows = kept[job.shard(len(kept), micro_batch)]
job.log(f"{len(rows)} of {len(kept)} paragraphs")
between = range(rows[0], rows[-1] + 1) if len(rows) else range(0)
pieces = kept_pieces(job.batches("paragraphs", ["id", "tokens"], between), dropped)
measured = [name for name in schema_of("scores").columns(Lengths()) if name != "id"]
n_redecoded = 0
progress = Progress(len(rows), "paragraphs")
with job.writing() as append:
    for piece in regrouped(pieces, max(1, ROWS // micro_batch) * micro_batch):
        tokens = subject.preceded(token_tensor(piece.tokens))
        scores, log_p = score_and_extract(subject.of_preceded, tokens, threshold)
        columns = {name: getattr(scores, name).numpy() for name in measured}
        append(
            scores=pd.DataFrame({"id": piece.id, **columns}),
            extraction=pd.DataFrame({"id": piece.id, "log_p": log_p.numpy()}),
        )
        n_redecoded += int(scores.redecoded.sum())
        progress.advance(len(piece), f"{n_redecoded} near-ties decoded step by step")
