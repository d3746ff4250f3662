"""Rule score_samples: sampled paragraphs at other positions, after other text, and nearly recited."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd

from memloc.data.paragraphs import token_tensor, with_token_before
from memloc.data.sets import sample_ids, without_controls
from memloc.model import loading, pretrained
from memloc.run.seeds import generator
from memloc.scoring.constrained_beams import log_p_nearly
from memloc.scoring.held_out import seen
from memloc.scoring.near_verbatim import NEARLY
from memloc.scoring.positions import Before, after_half, at_start, position_scores, unrelated_text
from memloc.tables.terms.sets import REPEATED, SET_NAMES, UNSEEN

N_UNRELATED = 100  # paragraphs whose tokens are the text that stands before others
N_REPEATED = 100  # repeated paragraphs that are scored after half of their prefix
settings, how = job.settings, job.settings.positions
sets = job.read("sets", ["id", "set", "sampled", "sampled_rare_tokens"])
samples = {
    name: sets[(sets["set"] == name) & sets.sampled].head(how.n_paragraphs) for name in (*SET_NAMES, UNSEEN)
}
elsewhere = [samples["memorized"], *(samples[name].head(how.n_others) for name in ("non_memorized", UNSEEN))]
placed = pd.concat(elsewhere).rename(columns={"set": "group"})[["group", "id"]].reset_index(drop=True)
others = sets.id[(sets["set"] == "non_memorized") & ~seen(sets)]
others = samples["non_memorized"].id if others.empty else others
others = generator(job.seed, "positions", "text").permutation(others)[:N_UNRELATED]
drawn = pd.concat(samples.values()).id
count = job.read("paragraphs", ["id", "count"]).set_index("id")["count"]
repeated = without_controls(sets).id
repeated = repeated[repeated.map(count) > 1]
repeated = pd.Series(sample_ids(repeated, N_REPEATED, generator(job.seed, "positions", REPEATED)))
ids = pd.concat([drawn, pd.Series(others), repeated]).unique()
tokens = job.read("paragraphs", ["id", "tokens"], ids).set_index("id").tokens
scores = job.read("scores", ["id", "em", "nll"], ids).set_index("id")
text = unrelated_text(tokens.loc[others], max(how.lengths))

model = loading.load_model(job.input.folder, settings.loading)
end_of_text = pretrained.load_tokenizer(job.input.folder).eos_token_id
before = pretrained.token_before(job.input.folder, settings.paragraph.before)
n_prefix, n_continuation = settings.paragraph.prefix, settings.paragraph.continuation
own, random = token_tensor(tokens.loc[placed.id]), generator(job.seed, "positions", "places")
places = [
    at_start(scores.loc[placed.id]),
    *position_scores(model, own, Before(text, end_of_text, before), n_prefix, how, random),
]
job.log(f"{len(placed)} paragraphs in {len(places)} places")
again, prefixes = pd.DataFrame({"group": REPEATED, "id": repeated}), []
if len(repeated):
    own = token_tensor(tokens.loc[repeated])
    prefixes = [at_start(scores.loc[repeated]), after_half(model, own, before, n_prefix, how.micro_batch)]
log_p = log_p_nearly(
    model,
    with_token_before(token_tensor(tokens.loc[drawn]), before),
    n_prefix + (before is not None),
    int(NEARLY * n_continuation),
    max(how.micro_batch // 4, 1),  # the search follows several texts of each, a token at a time
)
places = [*(placed.join(place) for place in places), *(again.join(prefix) for prefix in prefixes)]
job.write(
    positions=pd.concat(places),
    near_extraction=pd.DataFrame({"id": drawn, "log_p_nearly": log_p.numpy()}),
)
