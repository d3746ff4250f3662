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
    name: sets.id[(sets["set"] == name) & sets.sampled].head(how.n_paragraphs)
    for name in (*SET_NAMES, UNSEEN)
}
chosen = {"memorized": samples["memorized"]}
chosen |= {name: samples[name].head(how.n_others) for name in ("non_memorized", UNSEEN)}
others = sets.id[(sets["set"] == "non_memorized") & ~seen(sets)]
others = chosen["non_memorized"] if others.empty else others
others = generator(job.seed, "positions", "text").permutation(others)
ids = pd.concat([*samples.values(), pd.Series(others[:N_UNRELATED])]).unique()
tokens = job.read("paragraphs", ["id", "tokens"], ids).set_index("id").tokens
scores = job.read("scores", ["id", "em", "nll"], ids).set_index("id")
text = unrelated_text(tokens.loc[others[:N_UNRELATED]], max(how.lengths))

model = loading.load_for_inference(job.input.folder, settings.loading)
end_of_text = pretrained.load_tokenizer(job.input.folder).eos_token_id
before = pretrained.token_before(job.input.folder, settings.paragraph.before)
stands_before = Before(text, end_of_text, before)
frames = []
for name, drawn in chosen.items():
    if drawn.empty:
        continue
    random = generator(job.seed, "positions", name)
    own = token_tensor(tokens.loc[drawn])
    elsewhere = position_scores(model, own, stands_before, settings.paragraph.prefix, how, random)
    places = [at_start(scores.loc[drawn]), *elsewhere]
    frames += [place.assign(group=name, id=drawn.to_numpy()) for place in places]
    job.log(f"{name}: {len(drawn)} paragraphs in {len(places)} places")

drawn = pd.concat(samples.values())
n_prefix, n_continuation = settings.paragraph.prefix, settings.paragraph.continuation
log_p = log_p_nearly(
    model,
    with_token_before(token_tensor(tokens.loc[drawn]), before),
    n_prefix + (before is not None),
    int(NEARLY * n_continuation),
    settings.extraction,
    max(how.micro_batch // 4, 1),  # of each, several texts are followed, but a token at a time
)
near = pd.DataFrame({"id": drawn, "log_p_nearly": log_p.numpy()})
job.write(positions=pd.concat(frames), near_extraction=near)
