"""Rule paragraphs (text with counts): the first tokens of each document, and how often it was seen."""

from memloc.tables.job import start

job = start(snakemake)

import numpy as np
import pandas as pd
import torch

from memloc.data.overlap import overlapping
from memloc.data.own_text import first_paragraphs, joined
from memloc.data.paragraphs import UNKNOWN
from memloc.data.places import numbered
from memloc.data.text_files import counted_documents
from memloc.model import pretrained
from memloc.model.token_text import decoded

data, paragraph = job.settings.data, job.settings.paragraph
tokenizer = pretrained.load_tokenizer(job.input.folder)
files, texts, repeats = zip(
    *((file, *row) for file in job.input.texts for row in counted_documents(file, data.field, data.counts)),
    strict=True,
)
documents = tokenizer(list(texts), add_special_tokens=False, return_attention_mask=False)["input_ids"]
tokens, counts, begins_with = first_paragraphs(zip(documents, repeats, strict=True), paragraph.length)

unseen, left_out = counts == 0, counts < 0
seen = joined((ids for ids, count in zip(documents, repeats, strict=True) if count), paragraph.length)
left_out[unseen] = overlapping(tokens[unseen], seen, paragraph.prefix)

rows = pd.DataFrame({"count": counts, "unseen": unseen, "tokens": list(tokens)})[~left_out]
rows = rows.reset_index(drop=True).rename_axis("id").reset_index()
rows["text"] = decoded(torch.from_numpy(tokens[~left_out]), tokenizer)
rows = rows.assign(held_out=rows["unseen"], **UNKNOWN)
places = numbered(files).assign(id=begins_with, start=0, line=1)
places = places[(begins_with >= 0) & ~left_out[begins_with]]
places["id"] = (np.cumsum(~left_out) - 1)[places.id]
job.write(paragraphs=rows, places=places.reset_index(drop=True))
