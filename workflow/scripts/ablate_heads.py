"""Rule ablate_heads: what paragraphs lose without each head, and without the first ones of each ranking."""

from memloc.run.rule import log, provenance, start

start(snakemake)

import torch

from memloc.localization import ablation
from memloc.model import loading
from memloc.run.seeds import generator
from memloc.scoring.held_out import judging_texts, with_own_continuations
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schema import by_name
from memloc.tables.schemas.head_ablation import CUMULATIVE_ABLATION, HEAD_ABLATION, HEAD_EFFECTS
from memloc.tables.schemas.head_ranking import HEAD_RANKING
from memloc.tables.schemas.paragraphs import PARAGRAPHS
from memloc.tables.schemas.sets import SETS

SCHEMAS = by_name(CUMULATIVE_ABLATION, HEAD_ABLATION, HEAD_EFFECTS, HEAD_RANKING, PARAGRAPHS, SETS)

settings, seed, source = sections(snakemake.params.settings), snakemake.params.seed, snakemake.input
how, n_prefix = settings.head_ablation, settings.paragraph.prefix
paragraphs = storage.read(PARAGRAPHS, source.paragraphs, ["id", "tokens"])
sets = storage.read(SETS, source.sets)
texts = judging_texts(paragraphs, sets, seed, n_paragraphs=how.n_paragraphs, n_held_out=how.n_held_out)
log(", ".join(f"{name}: {len(group.ids)} paragraphs" for name, group in texts.items()))

model = loading.load_for_inference(source.folder, settings.loading)
batch = (n_prefix, how.micro_batch)
means = ablation.mean_outputs(model, texts.pop("means").tokens, how.micro_batch)
texts = with_own_continuations(model, texts, *batch)
outputs = {"zero": torch.zeros_like(means), "mean": means}
orders = ablation.orders(
    storage.read(HEAD_RANKING, source.ranking), how.n_random, generator(seed, "cumulative_ablation")
)
plans = {
    "head_ablation": ablation.single_heads({name: outputs[name] for name in how.replacements}),
    "cumulative_ablation": ablation.first_heads(orders, means, how.top),
}
found = ablation.ablate(model, texts, plans, *batch)
found["head_effects"] = ablation.specific_effects(found["head_ablation"])
paths = {"head_ablation": "ablation", "cumulative_ablation": "cumulative", "head_effects": "effects"}
for name, frame in found.items():
    storage.write(SCHEMAS[name], frame, snakemake.output[paths[name]], provenance(snakemake))
