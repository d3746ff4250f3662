"""Rule scores: exact match, NLL and probability of every kept paragraph, or of one shard of them."""

from memloc.run.rule import log, provenance, start

start(snakemake)

from pathlib import Path

import pandas as pd

from memloc.data.filters import kept_rows
from memloc.data.paragraphs import token_tensor
from memloc.model import loading
from memloc.run.progress import Progress
from memloc.run.shards import regrouped, shard_rows
from memloc.scoring.extraction import extraction_frame, score_and_extract
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.row_groups import ROWS
from memloc.tables.schema import by_name
from memloc.tables.schemas.paragraphs import DROPPED_PARAGRAPHS, DROPPED_REFERENCE, PARAGRAPHS
from memloc.tables.schemas.scores import EXTRACTION, SCORES

SCHEMAS = by_name(DROPPED_PARAGRAPHS, DROPPED_REFERENCE, PARAGRAPHS, SCORES)

settings, source = sections(snakemake.params.settings), snakemake.input
n_prefix, micro_batch = settings.paragraph.prefix, settings.scores.micro_batch
# Where published numbers come from the authors' filter, what that keeps is scored too.
dropped, *others = (storage.read(SCHEMAS[Path(path).stem], path).id for path in source.dropped)
for other in others:
    dropped = dropped[dropped.isin(other)]
kept = kept_rows(storage.read(PARAGRAPHS, source.paragraphs, ["id"]).id, dropped)
rows = kept[shard_rows(len(kept), *snakemake.params.shard, micro_batch)]
log(f"{len(rows)} of {len(kept)} paragraphs")

model = loading.load_for_inference(source.folder, settings.loading)
between = range(rows[0], rows[-1] + 1) if len(rows) else range(0)
pieces = storage.batches(PARAGRAPHS, source.paragraphs, ["id", "tokens"], between)
pieces = (piece[~piece.id.isin(dropped)] for piece in pieces)
schemes, stamp, n_redecoded = settings.extraction.schemes, provenance(snakemake), 0
progress = Progress(len(rows), "paragraphs")
with (
    storage.writer(SCORES, snakemake.output.scores, stamp) as scores_table,
    storage.writer(EXTRACTION, snakemake.output.extraction, stamp) as extraction_table,
):
    for piece in regrouped(pieces, max(1, ROWS // micro_batch) * micro_batch):
        tokens = token_tensor(piece.tokens)
        scores, extraction = score_and_extract(model, tokens, n_prefix, settings.scores, schemes)
        columns = {name: getattr(scores, name).numpy() for name in ("em", "nll", "margin", "redecoded")}
        scores_table.append(pd.DataFrame({"id": piece.id, **columns}))
        extraction_table.append(extraction_frame(extraction, piece.id, schemes))
        n_redecoded += int(scores.redecoded.sum())
        progress.advance(len(piece), f"{n_redecoded} near-ties decoded step by step")
