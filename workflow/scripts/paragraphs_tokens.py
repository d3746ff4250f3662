"""Rule paragraphs (tokens): the paragraphs of arrays of token ids and their decoded text."""

from memloc.tables.job import start

job = start(snakemake)

import numpy as np
import pandas as pd
import torch

from memloc.data.paragraphs import UNKNOWN
from memloc.data.token_arrays import open_arrays
from memloc.model import pretrained
from memloc.model.token_text import decoded
from memloc.tables.storage import ROWS

data, paragraph = job.settings.data, job.settings.paragraph
tokenizer = pretrained.load_tokenizer(job.input.folder)
files = job.input.tokens
tokens = np.hstack([array.values.astype("int64") for array in open_arrays(data, paragraph, files)])

# Each paragraph counts as seen once.
with job.writing() as append:
    for first in range(0, len(tokens), ROWS):
        own = tokens[first : first + ROWS]
        piece = pd.DataFrame(
            {"id": range(first, first + len(own)), "count": 1, "unseen": False, "held_out": False, **UNKNOWN}
        )
        text = decoded(torch.from_numpy(own), tokenizer)
        append(paragraphs=piece.assign(tokens=list(own), text=text))
        # A row of the list is a document of its own.
        append(places=piece[["id"]].assign(file=files[0], document=piece["id"], start=0, line=1))
