"""Rule paragraphs (text): cut the user's text into paragraphs and count their repeats in it."""

from memloc.rule import log, provenance, start

start(snakemake)

import pandas as pd

from memloc import models, tables, text

settings = snakemake.params.settings
tokenizer = models.load_tokenizer(snakemake.input.folder)
documents = [
    document for file in snakemake.input.texts for document in text.documents(file, settings["data"]["field"])
]
tokens = tokenizer(documents, add_special_tokens=False)["input_ids"]
log(f"{len(documents)} documents, {sum(map(len, tokens)):,} tokens")
paragraphs, counts = text.paragraphs(tokens, settings["paragraph"]["length"])
frame = pd.DataFrame(
    {
        "id": range(len(paragraphs)),
        "count": counts,
        "tokens": list(paragraphs),
        "text": tokenizer.batch_decode(paragraphs.tolist(), clean_up_tokenization_spaces=False),
    }
)
log(f"{len(frame)} paragraphs, the most frequent occurs {counts.max()} times")
tables.write("paragraphs", frame, snakemake.output.paragraphs, provenance(snakemake))
