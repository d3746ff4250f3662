"""Rule score_samples: sampled paragraphs token by token, at other positions and after other text."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd

from memloc.data.paragraphs import token_tensor
from memloc.data.sets import sample_ids, trained_on
from memloc.model import loading
from memloc.run.seeds import generator
from memloc.scoring.held_out import used_by_analyses
from memloc.scoring.positions import Other, after_half, at_start, position_scores, unrelated_text
from memloc.scoring.token_statistics import token_nll
from memloc.tables.terms.sets import REPEATED, UNSEEN

N_UNRELATED = 100  # paragraphs whose tokens are the text that stands before others
N_REPEATED = 100  # repeated paragraphs that are scored after half of their prefix
settings, how = job.settings, job.settings.positions
sets = job.read("sets", ["id", "set", "sampled", "sampled_rare_tokens"])
sizes = {"memorized": how.n_paragraphs, **dict.fromkeys(("non_memorized", UNSEEN), how.n_others)}
samples = {name: sets[(sets["set"] == name) & sets.sampled] for name in sizes}
sampled = pd.concat(samples.values()).id
placed = pd.concat(samples[name].head(n) for name, n in sizes.items())
placed = placed.rename(columns={"set": "group"})[["group", "id"]].reset_index(drop=True)
others = sets.id[(sets["set"] == "non_memorized") & ~used_by_analyses(sets)]
others = samples["non_memorized"].id.head(how.n_others) if others.empty else others
others = generator(job.seed, "positions", "text").permutation(others)[:N_UNRELATED]
count = job.read("paragraphs", ["id", "count"]).set_index("id")["count"]
repeated = trained_on(sets).id
repeated = repeated[repeated.map(count) > 1]
repeated = pd.Series(sample_ids(repeated, N_REPEATED, generator(job.seed, "positions", REPEATED)))
ids = pd.concat([sampled, pd.Series(others), repeated]).unique()
tokens = job.read("paragraphs", ["id", "tokens"], ids).set_index("id").tokens
scores = job.read("scores", ["id", "em", "nll"], ids).set_index("id")
text = unrelated_text(tokens.loc[others], max(how.lengths))

subject = loading.load(job.input.folder, settings, 16)
other = Other(text, subject.tokenizer.eos_token_id)
own, random = token_tensor(tokens.loc[placed.id]), generator(job.seed, "positions", "places")
places = [at_start(scores.loc[placed.id]), *position_scores(subject, own, other, how, random)]
again, prefixes = pd.DataFrame({"group": REPEATED, "id": repeated}), []
if len(repeated):
    own = token_tensor(tokens.loc[repeated])
    prefixes = [at_start(scores.loc[repeated]), after_half(subject, own)]
places = [*(placed.join(place) for place in places), *(again.join(prefix) for prefix in prefixes)]
job.write(
    positions=pd.concat(places),
    token_statistics=token_nll(subject, token_tensor(tokens.loc[sampled]), sampled),
)
