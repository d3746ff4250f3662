"""Rule paragraphs (text): cut the user's text into paragraphs and count their repeats in it."""

from memloc.tables.job import start

job = start(snakemake)

from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile
from typing import BinaryIO

import numpy as np
import pandas as pd
import torch

from memloc.data import own_text
from memloc.data.documents import documents
from memloc.data.overlap import RUN, shares_run
from memloc.model import pretrained
from memloc.model.token_text import decoded
from memloc.tables.row_groups import ROWS

settings = job.settings
length, field = settings.paragraph.length, settings.data.field
run = min(RUN, length - settings.paragraph.prefix)
tokenizer = pretrained.load_tokenizer(job.input.folder)


def written(files: Iterable[str], file: BinaryIO) -> own_text.Stream:
    """The files' distinct paragraphs."""
    texts = (text for path in files for text in documents(path, field))
    stream = own_text.write_stream(own_text.tokenised(texts, tokenizer), length, file)
    job.log(f"{len(stream.tokens):,} tokens, {len(stream.starts):,} paragraphs")
    return own_text.distinct(stream)


def pieces(stream: own_text.Stream, counts: np.ndarray) -> Iterator[pd.DataFrame]:
    """Rows of table `paragraphs` without their ids, some at a time."""
    for first in range(0, len(counts), ROWS):
        rows = slice(first, first + ROWS)
        tokens = stream.windows(stream.starts[rows]).astype("int64")
        texts = decoded(torch.from_numpy(tokens), tokenizer)
        yield pd.DataFrame({"count": counts[rows], "text": texts}).assign(tokens=list(tokens))


with TemporaryFile() as file, TemporaryFile() as unseen_file, job.writing() as append:
    seen = written(job.input.texts, file)
    counts = own_text.count_repeats(seen)
    job.log(f"{len(counts):,} different paragraphs, the most frequent occurs {counts.max():,} times")
    n_rows = 0
    unknown = {"cut_count": None, "continuation_count": None, "package": None, "module": None}
    for piece in pieces(seen, counts):
        append(paragraphs=piece.assign(id=piece.index + n_rows, unseen=False, **unknown))
        n_rows += len(piece)
    if job.input.unseen:
        unseen = written(job.input.unseen, unseen_file)
        for piece in pieces(unseen, np.zeros(len(unseen.starts), dtype=np.int64)):
            free = ~shares_run(np.stack(piece.tokens), seen, run)
            piece = piece[free].reset_index(drop=True)
            job.log(f"{len(piece):,} of {len(free):,} controls share no {run} tokens in a row with the text")
            append(paragraphs=piece.assign(id=piece.index + n_rows, unseen=True, **unknown))
            n_rows += len(piece)
