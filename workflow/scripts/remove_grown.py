"""Rule remove_grown: remove memories that grew in known places, in all ways or in a shard of them."""

from memloc.tables.job import start

job = start(snakemake)

import numpy as np

from memloc.data.paragraphs import token_tensor
from memloc.localization.highlight import ordered_heads
from memloc.model import loading
from memloc.planting.grown import memories_of
from memloc.removal.of_grown import another_place, remove_memories
from memloc.removal.removal_texts import texts_of
from memloc.removal.scoreboard import Comparison
from memloc.run.errors import InputError
from memloc.run.progress import Progress
from memloc.run.seeds import generator
from memloc.scoring.held_out import Group
from memloc.settings.model import ONLY_ASKED

settings, seed, ways = job.settings, job.seed, snakemake.params.ways
how = settings.remove
paragraphs, sets = job.read("paragraphs", ["id", "tokens"]), job.read("sets")
heads = ordered_heads(
    {"head_ranking": job.read("head_ranking", ["method", "layer", "head", "rank"])}, settings
)
grown = job.read("grown")

subject = loading.load(job.input.folder, settings, 16, editing=True)
memories = memories_of(subject, grown)
took = grown[grown["em"] == settings.paragraph.continuation]
removed = took[~took["kind"].isin(ONLY_ASKED)].groupby("kind", sort=False).head(how.n_single)
if removed.empty:
    raise InputError("model.grown: no memory is recited after the training; set remove.n_single to 0")
texts = texts_of(subject, {"paragraphs": paragraphs, "sets": sets}, how, seed, removed["id"].tolist())
others = generator(seed, "removal_of_grown", "judges").permutation(took["id"])[: how.n_judging]
tokens = token_tensor(paragraphs.set_index("id")["tokens"].loc[others])
judges = {name: texts.judges[name] for name in ("memorized", "held_out")}
judges["grown"] = Group(others, tokens, np.zeros(len(others), bool))
places = []
for row in removed.index:
    random = generator(seed, "removal_of_grown", "place", str(row))
    places.append((memories[row], another_place(subject, memories[row], memories, random)))
study = Comparison(subject, texts._replace(judges=judges), heads, how, seed)

rows = job.shard(len(ways))
progress = Progress(len(rows), "ways")
with job.writing() as append:
    for row in rows:
        append(removal_of_grown=remove_memories(study, places, ways[row]))
        progress.advance()
