"""Rule dropped_paragraphs: which paragraphs the filters leave out, and why (paper A.1)."""

from memloc.rule import log, provenance, start

start(snakemake)

from collections import Counter

import pandas as pd

from memloc import filters, models, tables
from memloc.paragraphs import token_tensor

tokenizer = models.load_tokenizer(snakemake.input.folder)
numbers = Counter()
with tables.writer("dropped_paragraphs", snakemake.output[0], provenance(snakemake)) as table:
    for paragraphs in tables.batches("paragraphs", snakemake.input.paragraphs):
        reasons = filters.drop_reasons(
            token_tensor(paragraphs.tokens).numpy(),
            paragraphs["count"].to_numpy(),
            paragraphs.text,
            encode=lambda text: tokenizer.encode(text, add_special_tokens=False),
            **snakemake.params.settings["filters"],
        )
        dropped = pd.DataFrame({"id": paragraphs.id, "reason": reasons}).dropna()
        table.append(dropped)
        numbers.update(dropped.reason)
for reason, number in numbers.most_common():
    log(f"{number} dropped: {reason}")
