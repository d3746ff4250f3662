"""Rule paragraphs (text): cut the user's text into paragraphs and count their repeats in it."""

from memloc.run.rule import log, provenance, start

start(snakemake)

from tempfile import TemporaryFile

import pandas as pd
import torch

from memloc.data import own_text
from memloc.model import loading
from memloc.model.token_text import decoded
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.row_groups import ROWS
from memloc.tables.schemas.paragraphs import PARAGRAPHS

N_CHARACTERS = 2**20  # tokenised at a time
settings = sections(snakemake.params.settings)
length, field = settings.paragraph.length, settings.data.field
tokenizer = loading.load_tokenizer(snakemake.input.folder)
documents = (document for file in snakemake.input.texts for document in own_text.documents(file, field))
tokens = (
    ids
    for batch in own_text.batched(documents, N_CHARACTERS)
    for ids in tokenizer(batch, add_special_tokens=False, return_attention_mask=False)["input_ids"]
)
with TemporaryFile() as file:
    stream = own_text.write_stream(tokens, length, file)
    log(f"{len(stream.tokens):,} tokens, {len(stream.starts):,} paragraphs")
    stream = own_text.distinct(stream)
    counts = own_text.count_repeats(stream)
    log(f"{len(counts):,} different paragraphs, the most frequent occurs {counts.max():,} times")
    with storage.writer(PARAGRAPHS, snakemake.output.paragraphs, provenance(snakemake)) as table:
        for first in range(0, len(counts), ROWS):
            rows = slice(first, first + ROWS)
            windows = torch.from_numpy(stream.windows(stream.starts[rows]).astype("int64"))
            frame = pd.DataFrame({"count": counts[rows], "text": decoded(windows, tokenizer)})
            ids, tokens = frame.index + first, list(windows.numpy())
            table.append(frame.assign(id=ids, tokens=tokens, continuation_count=None))
