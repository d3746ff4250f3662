"""Rule paragraphs (tokens): the paragraphs of arrays of token ids, their counts and their decoded text."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd
import torch

from memloc.data.overlap import as_text, overlapping
from memloc.data.token_arrays import open_arrays, read_counts, read_tokens
from memloc.model import pretrained
from memloc.model.token_text import decoded
from memloc.tables.storage import ROWS

data, paragraph = job.settings.data, job.settings.paragraph
tokenizer = pretrained.load_tokenizer(job.input.folder)
source = job.input
# A file of its own, or an array of the first file.
arrays = open_arrays(data, paragraph, source.tokens, source.counts[0] if source.counts else data.counts)
tokens, counts = read_tokens(arrays, len(tokenizer)), read_counts(arrays)
unseen, left_out = counts == 0, counts < 0
left_out[unseen] = overlapping(tokens[unseen], as_text(tokens[~unseen]), paragraph.prefix)
job.log(
    f"{len(tokens):,} paragraphs, {unseen.sum():,} of them unseen; {left_out.sum():,} of these share text"
)

# Ids are rows of the arrays, also where some are left out.
rows = pd.DataFrame({"count": counts, "unseen": unseen, "module": None})
rows = rows.assign(id=rows.index, cut_count=None, continuation_count=None, package=None)[~left_out]
with job.writing() as append:
    for first in range(0, len(rows), ROWS):
        piece = rows.iloc[first : first + ROWS]
        own = tokens[piece.index]
        text = decoded(torch.from_numpy(own), tokenizer)
        append(paragraphs=piece.reset_index(drop=True).assign(tokens=list(own), text=text))
        # A row of the list is a document of its own.
        places = piece[["id"]].assign(file=source.tokens[0], document=piece.index, start=0, line=1)
        append(places=places.reset_index(drop=True))
