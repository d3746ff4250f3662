"""Rule ablate_heads: what paragraphs lose without each head, and without the first ones of each ranking."""

from memloc.tables.job import start

job = start(snakemake)

import torch

from memloc.localization import ablation
from memloc.model import loading
from memloc.run.seeds import generator
from memloc.scoring.held_out import judging_texts, with_own_continuations

settings, seed = job.settings, job.seed
how, n_prefix = settings.head_ablation, settings.paragraph.prefix
paragraphs = job.read("paragraphs", ["id", "tokens"])
sets = job.read("sets")
texts = judging_texts(paragraphs, sets, seed, n_paragraphs=how.n_paragraphs, n_held_out=how.n_judging)
job.log(", ".join(f"{name}: {len(group.ids)} paragraphs" for name, group in texts.items()))

model = loading.load_for_inference(job.input.folder, settings.loading)
batch = (n_prefix, how.micro_batch)
means = ablation.mean_outputs(model, texts.pop("means").tokens, how.micro_batch)
texts = with_own_continuations(model, texts, *batch)
orders = ablation.orders(job.read("head_ranking"), how.n_random, generator(seed, "cumulative_ablation"))
plans = {
    "head_ablation": ablation.single_heads({"zero": torch.zeros_like(means), "mean": means}),
    "cumulative_ablation": ablation.first_heads(orders, means, how.top),
}
found = ablation.ablate(model, texts, plans, *batch)
found["head_effects"] = ablation.specific_effects(found["head_ablation"])
job.write(**found)
