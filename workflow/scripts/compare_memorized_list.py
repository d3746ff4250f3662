"""Rule compare_memorized_list: this run's memorized paragraphs next to a published list of them."""

from memloc.run.rule import log, provenance, start

start(snakemake)

import pandas as pd

from memloc.claims import expected
from memloc.data.paragraphs import token_tensor
from memloc.model import loading
from memloc.scoring.token_statistics import token_statistics
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schema import by_name
from memloc.tables.schemas.expected import MEMORIZED_AGREEMENT
from memloc.tables.schemas.paragraphs import DROPPED_PARAGRAPHS, DROPPED_REFERENCE, PARAGRAPHS
from memloc.tables.schemas.scores import SCORES

SCHEMAS = by_name(DROPPED_PARAGRAPHS, DROPPED_REFERENCE, MEMORIZED_AGREEMENT, PARAGRAPHS, SCORES)

settings, source = sections(snakemake.params.settings), snakemake.input
lengths = settings.paragraph
paragraphs, scores = (storage.read(SCHEMAS[name], source[name]) for name in ("paragraphs", "scores"))
dropped = storage.read(SCHEMAS[snakemake.params.filter], source.dropped).id
agreement = expected.memorized_agreement(
    expected.read_memorized_list(source.published),
    paragraphs,
    scores[~scores.id.isin(dropped)],
    lengths.continuation,
)

# The published NLLs may be means over all tokens but the first, which nothing precedes.
model = loading.load_for_inference(source.folder, settings.loading)
ids = agreement.id.dropna()
tokens = token_tensor(paragraphs.set_index("id").tokens.loc[ids]) if len(ids) else None
if tokens is None:
    agreement["nll_paragraph"] = float("nan")
else:
    nll = token_statistics(model, tokens, 1, settings.scores.micro_batch).nll.mean(dim=1)
    agreement["nll_paragraph"] = agreement.id.map(pd.Series(nll.numpy(), index=ids))
log(str(expected.agreement_numbers(agreement)))
storage.write(MEMORIZED_AGREEMENT, agreement, snakemake.output[0], provenance(snakemake))
