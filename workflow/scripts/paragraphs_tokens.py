"""Rule paragraphs (tokens): the paragraphs of arrays of token ids, their counts and their decoded text."""

from memloc.run.rule import log, provenance, start

start(snakemake)

import pandas as pd
import torch

from memloc.data.overlap import as_text, overlapping
from memloc.data.token_arrays import open_arrays, read_counts, read_groups, read_tokens
from memloc.model import pretrained
from memloc.model.token_text import decoded
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.row_groups import ROWS
from memloc.tables.schemas.paragraphs import PARAGRAPHS

settings = sections(snakemake.params.settings)
data, paragraph = settings.data, settings.paragraph
tokenizer = pretrained.load_tokenizer(snakemake.input.folder)
source = snakemake.input
# Files of their own, or arrays of the first file.
counts, groups = (
    source.get(key)[0] if source.get(key) else getattr(data, key) for key in ("counts", "groups")
)
arrays = open_arrays(data, paragraph, source.tokens, counts, groups)
tokens, counts = read_tokens(arrays, len(tokenizer)), read_counts(arrays)
unseen, left_out = counts == 0, counts < 0
left_out[unseen] = overlapping(tokens[unseen], as_text(tokens[~unseen]), paragraph.prefix)
log(f"{len(tokens):,} paragraphs, {unseen.sum():,} of them unseen; {left_out.sum():,} of these share text")

# Ids are rows of the arrays, also where some are left out.
rows = pd.DataFrame({"count": counts, "unseen": unseen, "module": read_groups(arrays)})
rows = rows.assign(id=rows.index, continuation_count=None, package=None)[~left_out]
with storage.writer(PARAGRAPHS, snakemake.output.paragraphs, provenance(snakemake)) as table:
    for first in range(0, len(rows), ROWS):
        piece = rows.iloc[first : first + ROWS]
        own = tokens[piece.index]
        text = decoded(torch.from_numpy(own), tokenizer)
        table.append(piece.reset_index(drop=True).assign(tokens=list(own), text=text))
