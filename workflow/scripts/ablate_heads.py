"""Rule ablate_heads: losses of paragraphs without each head, and without the first heads of each ranking."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd

from memloc.localization import ablation
from memloc.model import loading
from memloc.run.seeds import generator
from memloc.scoring.held_out import judging_texts, paired_texts, with_own_continuations
from memloc.tables.judged_texts import PAIRED

settings, seed = job.settings, job.seed
how, n_prefix = settings.head_ablation, settings.paragraph.prefix
paragraphs = job.read("paragraphs", ["id", "tokens"])
sets = job.read("sets")
texts = judging_texts(paragraphs, sets, seed, n_paragraphs=how.n_paragraphs, n_held_out=how.n_judging)
paired = paired_texts(paragraphs, sets, n_prefix, texts["means"].ids)

subject = loading.load(job.input.folder, settings, how.micro_batch)
means = ablation.mean_outputs(subject, texts.pop("means").tokens)
texts = with_own_continuations(subject, texts)
orders = ablation.orders(job.read("head_ranking"), how.n_random, generator(seed, "cumulative_ablation"))
plans = {
    "head_ablation": ablation.single_heads(means),
    "cumulative_ablation": ablation.first_heads(orders, means, how.top),
}
found = ablation.ablate(subject, texts, plans)
if len(paired.ids):
    more = ablation.ablate(subject, {PAIRED: paired}, {"head_ablation": plans["head_ablation"]})
    found["head_ablation"] = pd.concat([found["head_ablation"], more["head_ablation"]], ignore_index=True)
job.write(**found)
