"""Rule ablate_heads: losses of paragraphs without each head, the first heads of each ranking, each block."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd

from memloc.localization import ablation
from memloc.localization.layer_bypass import bypasses, mean_block_outputs
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

subject = loading.load(job.input.folder, settings, 16)
others = texts.pop("means").tokens
means = ablation.mean_outputs(subject, others)
texts = with_own_continuations(subject, texts)
orders = ablation.orders(job.read("head_ranking"), how.n_random, generator(seed, "cumulative_ablation"))
plans = {
    "head_ablation": ablation.single_heads(means),
    "cumulative_ablation": ablation.first_heads(orders, means, how.top),
    "layer_bypass": bypasses(mean_block_outputs(subject, others)),
}
found = ablation.ablate(subject, texts, plans)
if len(paired.ids):
    of_pairs = {name: plans[name] for name in ("head_ablation", "layer_bypass")}
    more = ablation.ablate(subject, {PAIRED: paired}, of_pairs)
    found |= {name: pd.concat([found[name], rows], ignore_index=True) for name, rows in more.items()}
job.write(**found)
