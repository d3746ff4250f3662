"""Rule paragraphs (text): cut the user's text into paragraphs and count their repeats in it."""

from memloc.tables.job import start

job = start(snakemake)

from tempfile import TemporaryFile

import pandas as pd
import torch

from memloc.data import own_text
from memloc.data.paragraphs import UNKNOWN
from memloc.data.text_files import documents
from memloc.model import pretrained
from memloc.model.token_text import decoded
from memloc.tables.storage import ROWS

data, tokenizer = job.settings.data, pretrained.load_tokenizer(job.input.folder)
texts = (text for path in job.input.texts for text in documents(path, data.field, data.encoding))
with TemporaryFile() as file, job.writing() as append:
    tokenised = own_text.tokenised(texts, tokenizer)
    cut, _ = own_text.write_stream(tokenised, job.settings.paragraph.length, file)
    seen, _ = own_text.distinct(cut)
    counts = own_text.count_repeats(seen)
    for first in range(0, len(counts), ROWS):
        rows = slice(first, min(first + ROWS, len(counts)))
        tokens = seen.windows(seen.starts[rows]).astype("int64")
        known = {
            "id": range(rows.start, rows.stop),
            "count": counts[rows],
            "unseen": False,
            "held_out": False,
        }
        piece = pd.DataFrame({**known, "text": decoded(torch.from_numpy(tokens), tokenizer)})
        append(paragraphs=piece.assign(tokens=list(tokens), **UNKNOWN))
