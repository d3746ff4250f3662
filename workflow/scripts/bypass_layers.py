"""Rule bypass_layers: losses of paragraphs when attention or MLP blocks of whole layers are bypassed."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd

from memloc.localization.ablation import ablate
from memloc.localization.layer_bypass import bypasses, mean_block_outputs
from memloc.model import loading
from memloc.scoring.held_out import judging_texts, paired_texts, with_own_continuations
from memloc.tables.judged_texts import PAIRED

settings, seed = job.settings, job.seed
how, n_prefix = settings.layer_bypass, settings.paragraph.prefix
paragraphs = job.read("paragraphs", ["id", "tokens"])
sets = job.read("sets")
texts = judging_texts(paragraphs, sets, seed, n_paragraphs=how.n_paragraphs, n_held_out=how.n_judging)
paired = paired_texts(paragraphs, sets, n_prefix, texts["means"].ids)

subject = loading.load(job.input.folder, settings, how.micro_batch)
means = mean_block_outputs(subject, texts.pop("means").tokens)
texts, plan = with_own_continuations(subject, texts), bypasses(means)
found = ablate(subject, texts, {"layer_bypass": plan})
if len(paired.ids):
    more = ablate(subject, {PAIRED: paired}, {"layer_bypass": plan})
    found = {name: pd.concat([found[name], more[name]], ignore_index=True) for name in found}
job.write(**found)
