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
from memloc.data.places import numbered
from memloc.model import pretrained
from memloc.model.token_text import decoded
from memloc.tables.storage import ROWS

settings = job.settings
length, field = settings.paragraph.length, settings.data.field
tokenizer = pretrained.load_tokenizer(job.input.folder)


read_from: list[str] = []  # the file of each document


def texts() -> Iterator[str]:
    """Documents of all files."""
    for path in job.input.texts:
        for text in documents(path, field, settings.data.encoding):
            read_from.append(path)
            yield text


def in_parts(n_rows: int) -> Iterator[slice]:
    """Some rows of a table at a time."""
    return (slice(first, min(first + ROWS, n_rows)) for first in range(0, n_rows, ROWS))


with TemporaryFile() as file, job.writing() as append:
    tokenised = own_text.tokenised(texts(), tokenizer)
    cut, begins = own_text.write_stream(tokenised, length, file)
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
    unknown = dict.fromkeys(["cut_count", "continuation_count", "package", "module"])
    for rows in in_parts(len(counts)):
        tokens = seen.windows(seen.starts[rows]).astype("int64")
        known = {"id": range(rows.start, rows.stop), "count": counts[rows], "unseen": False}
        piece = pd.DataFrame({**known, "text": decoded(torch.from_numpy(tokens), tokenizer)})
        append(paragraphs=piece.assign(tokens=list(tokens), **unknown))
