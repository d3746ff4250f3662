"""Rule paragraphs (text): cut the user's text into paragraphs and count their repeats in it."""

from memloc.tables.job import start

job = start(snakemake)

from collections.abc import Iterator
from tempfile import TemporaryFile

import numpy as np
import pandas as pd
import torch

from memloc.data import own_text
from memloc.data.documents import documents
from memloc.data.overlap import overlapping
from memloc.data.places import numbered, texts_of
from memloc.model import pretrained
from memloc.model.token_text import decoded
from memloc.tables.storage import ROWS

settings = job.settings
length, field = settings.paragraph.length, settings.data.field
stride = settings.data.stride or length
tokenizer = pretrained.load_tokenizer(job.input.folder)


def texts(files: list[str], read_from: list[str]) -> Iterator[str]:
    """Documents of the files; `read_from` gets the file of each."""
    for path in files:
        for text in documents(path, field):
            read_from.append(path)
            yield text


def in_parts(n_rows: int) -> Iterator[slice]:
    """Some rows of a table at a time."""
    return (slice(first, first + ROWS) for first in range(0, n_rows, ROWS))


def pieces(stream: own_text.Stream, **columns: np.ndarray) -> Iterator[pd.DataFrame]:
    """Rows of table `paragraphs` without their ids, some at a time; the columns are of all of them."""
    unknown = {"cut_count": None, "continuation_count": None, "package": None}
    for rows in in_parts(len(stream.starts)):
        tokens = stream.windows(stream.starts[rows]).astype("int64")
        own = {name: values[rows] for name, values in columns.items()}
        piece = pd.DataFrame(own | {"text": decoded(torch.from_numpy(tokens), tokenizer)})
        yield piece.assign(tokens=list(tokens), **unknown)


with TemporaryFile() as file, TemporaryFile() as unseen_file, job.writing() as append:
    read_from: list[str] = []
    tokenised = own_text.tokenised(texts(job.input.texts, read_from), tokenizer)
    cut, begins = own_text.write_stream(tokenised, length, stride, file)
    job.log(f"{len(cut.tokens):,} tokens, {len(cut.starts):,} paragraphs")
    seen, number = own_text.distinct(cut)
    counts = own_text.count_repeats(seen)
    job.log(f"{len(counts):,} different paragraphs, the most frequent occurs {counts.max():,} times")
    document, files = np.searchsorted(begins, cut.starts, side="right") - 1, numbered(read_from)
    breaks = [text.count("\n") for text in decoded(torch.arange(len(tokenizer))[:, None], tokenizer)]
    places = {"id": number, "start": cut.starts - begins[document]}
    places["line"] = own_text.lines(cut, begins, np.array(breaks))
    for rows in in_parts(len(number)):
        own = files.iloc[document[rows]].reset_index(drop=True)
        append(places=own.assign(**{name: values[rows] for name, values in places.items()}))
    # Paragraphs that do not overlap have no token in common: each counts as a text of its own.
    module = np.full(len(counts), None)
    if stride < length:
        module = np.char.add("text ", texts_of(number, document).astype(str))
    n_rows = 0
    for piece in pieces(seen, count=counts, module=module):
        append(paragraphs=piece.assign(id=piece.index + n_rows, unseen=False))
        n_rows += len(piece)
    if job.input.unseen:
        tokenised = own_text.tokenised(texts(job.input.unseen, []), tokenizer)
        unseen, _ = own_text.distinct(own_text.write_stream(tokenised, length, length, unseen_file)[0])
        for piece in pieces(unseen, count=np.zeros(len(unseen.starts), dtype=np.int64)):
            free = ~overlapping(np.stack(piece.tokens), seen, settings.paragraph.prefix)
            piece = piece[free].reset_index(drop=True)
            job.log(f"{len(piece):,} of {len(free):,} controls share no run of tokens with the text")
            append(paragraphs=piece.assign(id=piece.index + n_rows, unseen=True, module=None))
            n_rows += len(piece)
