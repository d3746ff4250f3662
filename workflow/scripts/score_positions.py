"""Rule score_positions: exact match and NLL of sampled paragraphs at other positions and after other text."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd

from memloc.data.paragraphs import token_tensor
from memloc.model import loading, pretrained
from memloc.run.seeds import generator
from memloc.scoring.held_out import seen
from memloc.scoring.positions import position_scores, unrelated_text
from memloc.tables.terms.sets import UNSEEN

N_UNRELATED = 100  # paragraphs whose tokens are the text that stands before others
settings, how = job.settings, job.settings.positions
sets = job.read("sets", ["id", "set", "sampled", "sampled_rare_tokens"])
chosen = {
    name: sets.id[(sets["set"] == name) & sets.sampled].head(how.n_paragraphs)
    for name in ("memorized", "non_memorized", UNSEEN)
}
others = sets.id[(sets["set"] == "non_memorized") & ~seen(sets)]
others = chosen["non_memorized"] if others.empty else others
others = generator(job.seed, "positions", "text").permutation(others)
ids = pd.concat([*chosen.values(), pd.Series(others[:N_UNRELATED])]).unique()
tokens = job.read("paragraphs", ["id", "tokens"], ids).set_index("id").tokens
text = unrelated_text(tokens.loc[others[:N_UNRELATED]], max(how.lengths))

model = loading.load_for_inference(job.input.folder, settings.loading)
end_of_text = pretrained.load_tokenizer(job.input.folder).eos_token_id
before = pretrained.token_before(job.input.folder, settings.paragraph.before)
frames = []
for name, drawn in chosen.items():
    if drawn.empty:
        continue
    random = generator(job.seed, "positions", name)
    own = token_tensor(tokens.loc[drawn])
    frame = position_scores(model, own, text, end_of_text, before, settings.paragraph.prefix, how, random)
    frames.append(frame.assign(group=name, id=drawn.to_numpy()[frame.row]).drop(columns="row"))
    job.log(f"{name}: {len(drawn)} paragraphs in {len(frame) // len(drawn)} places")
job.write(positions=pd.concat(frames))
