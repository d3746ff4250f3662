"""Rule compare_memorized_list: this run's memorized paragraphs next to a published list of them."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd

from memloc.data.paragraphs import token_tensor
from memloc.model import loading
from memloc.published import expected
from memloc.scoring.token_statistics import continuation_nll

settings = job.settings
paragraphs, scores, dropped = job.read("paragraphs"), job.read("scores"), job.read(job.params.filter).id
agreement = expected.memorized_agreement(
    expected.read_memorized_list(job.input.published),
    paragraphs,
    scores[~scores.id.isin(dropped)],
    settings.paragraph.continuation,
)

# The published NLLs may be means over all tokens but the first, which nothing precedes.
model = loading.load_for_inference(job.input.folder, settings.loading)
ids = agreement.id.dropna()
tokens = token_tensor(paragraphs.set_index("id").tokens.loc[ids]) if len(ids) else None
if tokens is None:
    agreement["nll_paragraph"] = float("nan")
else:
    nll = continuation_nll(model, tokens, 1, settings.scores.micro_batch).mean(dim=1)
    agreement["nll_paragraph"] = agreement.id.map(pd.Series(nll.numpy(), index=ids))
numbers = expected.agreement_numbers(agreement)
job.log("; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in numbers.items()))
job.write(memorized_agreement=agreement)
