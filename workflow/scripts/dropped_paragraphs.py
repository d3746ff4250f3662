"""Rule dropped_paragraphs: which paragraphs the filters, and the authors' code, leave out, and why (A.1)."""

from memloc.run.rule import log, provenance, start

start(snakemake)

from collections import Counter

import pandas as pd

from memloc.data import filters
from memloc.data.paragraphs import token_tensor
from memloc.model import pretrained
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schemas.paragraphs import DROPPED_PARAGRAPHS, DROPPED_REFERENCE, PARAGRAPHS

settings, output = sections(snakemake.params.settings).filters, snakemake.output
stamp = provenance(snakemake)
as_the_authors = settings.model_copy(update={"reference": True})
tokenizer = pretrained.load_tokenizer(snakemake.input.folder)
numbers = Counter()
with (
    storage.writer(DROPPED_PARAGRAPHS, output.dropped, stamp) as dropped,
    storage.writer(DROPPED_REFERENCE, output.reference, stamp) as dropped_reference,
):
    for paragraphs in storage.batches(PARAGRAPHS, snakemake.input.paragraphs):
        tokens = token_tensor(paragraphs.tokens).numpy()
        failed = ((paragraphs["count"] == 0) & ~paragraphs.unseen).to_numpy()
        for name, table, options in (
            ("dropped", dropped, settings),
            ("dropped by the authors' code", dropped_reference, as_the_authors),
        ):
            reasons = filters.drop_reasons(
                tokens,
                failed,
                paragraphs.text,
                options,
                encode=lambda text: tokenizer.encode(text, add_special_tokens=False),
            )
            rows = pd.DataFrame({"id": paragraphs.id, "reason": reasons}).dropna()
            table.append(rows)
            numbers.update((name, reason) for reason in rows.reason)
for (name, reason), number in numbers.most_common():
    log(f"{name}: {number} {reason}")
