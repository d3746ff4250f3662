"""Rule dropped_paragraphs: which paragraphs the filters, or the authors' code, leave out, and why (A.1)."""

from memloc.tables.job import start

job = start(snakemake)

from collections import Counter
from functools import cache

import numpy as np
import pandas as pd

from memloc.data import filters

settings = job.settings.filters
grown = job.read("grown", ["id"]).id if "grown" in job.tables else []  # no other analysis uses these
filters_of = {"dropped_paragraphs": settings}
if "dropped_reference" in job.made:
    filters_of["dropped_reference"] = settings.model_copy(update={"reference": True})
numbers = Counter()


@cache
def tokenizer():
    """The model's tokenizer, loaded when a keyword needs it: its libraries take long to import."""
    from memloc.model import pretrained

    return pretrained.load_tokenizer(job.input.folder)


def encode(text: str) -> list[int]:
    """Tokens of a keyword."""
    return tokenizer().encode(text, add_special_tokens=False)


with job.writing() as append:
    for paragraphs in job.batches("paragraphs"):
        tokens = np.stack(paragraphs.tokens)
        failed = filters.not_parsed(paragraphs)
        for table, options in filters_of.items():
            reasons = filters.drop_reasons(tokens, failed, paragraphs.text, options, encode=encode)
            reasons = reasons.mask(paragraphs.id.isin(grown).to_numpy(), "grown")
            rows = pd.DataFrame({"id": paragraphs.id, "reason": reasons}).dropna()
            append(**{table: rows})
            numbers.update((table, reason) for reason in rows.reason)
for (table, reason), number in numbers.most_common():
    job.log(f"{table}: {number} {reason}")
