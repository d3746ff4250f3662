"""Rule token_statistics: NLL of each continuation token of the sampled paragraphs."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd

from memloc.data.paragraphs import sampled_tokens, token_tensor, used_ids
from memloc.model import loading
from memloc.scoring.token_statistics import continuation_nll, nll_frame
from memloc.tables.terms.sets import UNSEEN

settings, n_prefix = job.settings, job.settings.paragraph.prefix
sets = job.read("sets")
controls = sets.id[(sets["set"] == UNSEEN) & sets.sampled]
ids = pd.concat([used_ids(sets), controls])
paragraphs = job.read("paragraphs", ["id", "tokens"], ids)

memorized, memorized_tokens = sampled_tokens(paragraphs, sets, "memorized", n_prefix)
others, others_tokens = sampled_tokens(paragraphs, sets, "non_memorized", n_prefix)
corpus_tokens = token_tensor(paragraphs.set_index("id").tokens.loc[others])
texts = [
    ("memorized", "corpus", memorized, memorized_tokens),
    ("non_memorized", "corpus", others, corpus_tokens),
]
if settings.sets.continuation == "model":
    texts.append(("non_memorized", "model", others, others_tokens))
if len(controls):
    texts.append((UNSEEN, "corpus", controls, token_tensor(paragraphs.set_index("id").tokens.loc[controls])))

model = loading.load_for_inference(job.input.folder, settings.loading)
frames = []
for name, continuation, ids, tokens in texts:
    nll = continuation_nll(model, tokens, n_prefix, settings.scores.micro_batch)
    frames.append(nll_frame(nll, ids, n_prefix).assign(set=name, continuation=continuation))
    job.log(f"{name}, continuation of the {continuation}: {len(ids)} paragraphs")
job.write(token_statistics=pd.concat(frames))
