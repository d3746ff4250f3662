"""Rule exposure: how often every paragraph, or one of a shard of them, occurs in the indexes of a corpus."""

from memloc.tables.job import start

job = start(snakemake)

import numpy as np
import pandas as pd

from memloc.data import suffix_arrays
from memloc.model import pretrained
from memloc.run.progress import Progress

settings, n_prefix = job.settings, job.settings.paragraph.prefix
index = suffix_arrays.open_index(settings.exposure)
job.log(f"{len(index.folders)} indexes, {index.n_tokens:,} tokens of {index.width} bytes")
model = pretrained.load_tokenizer(job.input.folder)
other = pretrained.load_tokenizer(job.input.tokenizer)
count = suffix_arrays.counter(index)

n_paragraphs = len(job.read("paragraphs", ["id"]))
rows = job.shard(n_paragraphs)
job.stamp["n_index_tokens"] = index.n_tokens
progress, n_absent, n_found = Progress(len(rows), "paragraphs"), 0, 0
with job.writing() as append:
    for piece in job.batches("paragraphs", ["id", "unseen", "tokens"], rows):
        tokens = np.stack(piece.tokens) if len(piece) else np.empty((0, settings.paragraph.length), int)
        suffix_arrays.require_same_tokens(np.unique(tokens), model, other)
        counts = {
            "count": count(tokens),
            "prefix_count": count(tokens[:, :n_prefix]),
            "continuation_count": count(tokens[:, n_prefix:]),
        }
        append(exposure=pd.DataFrame({"id": piece.id, **counts}))
        occurs = counts["continuation_count"] > 0
        n_absent += int((~occurs & ~piece.unseen).sum())
        n_found += int((occurs & piece.unseen).sum())
        progress.advance(len(piece), f"{n_absent} of which the index does not hold the continuation")
job.log(
    f"the index holds the continuation of {n_found} unseen paragraphs, and not that of {n_absent} seen ones"
)
