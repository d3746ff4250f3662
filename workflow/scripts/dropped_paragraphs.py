"""Rule dropped_paragraphs: which paragraphs the filters leave out, and why (paper A.1)."""

from memloc.rule import log, provenance, start

start(snakemake)

import pandas as pd

from memloc import filters, models, tables
from memloc.paragraphs import token_tensor

paragraphs = tables.read("paragraphs", snakemake.input.paragraphs)
tokenizer = models.load_tokenizer(snakemake.input.folder)
reasons = filters.drop_reasons(
    token_tensor(paragraphs.tokens).numpy(),
    paragraphs["count"].to_numpy(),
    paragraphs.text,
    encode=lambda text: tokenizer.encode(text, add_special_tokens=False),
    **snakemake.params.settings["filters"],
)
dropped = pd.DataFrame({"id": paragraphs.id, "reason": reasons}).dropna()
for reason, n in dropped.reason.value_counts().items():
    log(f"{n} dropped: {reason}")
if len(dropped) == len(paragraphs):
    raise ValueError("every paragraph is dropped: loosen filters.min_unique or filters.keywords")
tables.write("dropped_paragraphs", dropped, snakemake.output[0], provenance(snakemake))
