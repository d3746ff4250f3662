"""Rule score_samples: sampled paragraphs at other positions, after other text, and nearly recited."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd

from memloc.data.paragraphs import token_tensor, with_token_before
from memloc.model import loading, pretrained
from memloc.run.seeds import generator
from memloc.scoring.constrained_beams import log_p_nearly
from memloc.scoring.held_out import seen
from memloc.scoring.near_verbatim import NEARLY
from memloc.scoring.positions import Before, at_start, position_scores, unrelated_text
from memloc.tables.terms.sets import SET_NAMES, UNSEEN

N_UNRELATED = 100  # paragraphs whose tokens are the text that stands before others
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
ids = pd.concat([drawn, pd.Series(others)]).unique()
tokens = job.read("paragraphs", ["id", "tokens"], ids).set_index("id").tokens
scores = job.read("scores", ["id", "em", "nll"], ids).set_index("id")
text = unrelated_text(tokens.loc[others], max(how.lengths))

model = loading.load_for_inference(job.input.folder, settings.loading)
end_of_text = pretrained.load_tokenizer(job.input.folder).eos_token_id
before = pretrained.token_before(job.input.folder, settings.paragraph.before)
n_prefix, n_continuation = settings.paragraph.prefix, settings.paragraph.continuation
own, random = token_tensor(tokens.loc[placed.id]), generator(job.seed, "positions", "places")
places = [
    at_start(scores.loc[placed.id]),
    *position_scores(model, own, Before(text, end_of_text, before), n_prefix, how, random),
]
job.log(f"{len(placed)} paragraphs in {len(places)} places")
log_p = log_p_nearly(
    model,
    with_token_before(token_tensor(tokens.loc[drawn]), before),
    n_prefix + (before is not None),
    int(NEARLY * n_continuation),
    settings.extraction,
    max(how.micro_batch // 4, 1),  # the search follows several texts of each, a token at a time
)
job.write(
    positions=pd.concat([placed.join(place) for place in places]),
    near_extraction=pd.DataFrame({"id": drawn, "log_p_nearly": log_p.numpy()}),
)
