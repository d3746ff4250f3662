"""Rule parameter_gradients: gradients of the weights for every set, and for the contrastive objective."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd

from memloc.data.draws import Parts, draw, draw_controls, split
from memloc.data.paragraphs import paired_tokens, sampled_tokens, used_ids
from memloc.localization.contrastive import Texts, contrastive_attribution
from memloc.localization.parameter_gradients import compare_groups
from memloc.model import loading
from memloc.run.seeds import generator
from memloc.tables.terms.sets import PARTLY

settings, n_prefix = job.settings, job.settings.paragraph.prefix
sets = job.read("sets")
paragraphs = job.read("paragraphs", ["id", "tokens"], used_ids(sets))
drawn = set(sets.loc[sets.sampled, "set"])
groups = [name for name in ("memorized", "non_memorized", *PARTLY) if name in drawn]
samples = {name: sampled_tokens(paragraphs, sets, name, n_prefix) for name in groups}
paired = paired_tokens(paragraphs, sets[~sets.sampled], n_prefix)

subject = loading.load(job.input.folder, settings, 10)
memorized, others = samples["memorized"][1], samples["non_memorized"][1]
members = split(len(memorized), generator(job.seed, "gradient_parts"))
sizes, alone = [len(part) for part in members], [[part] for part in range(len(members))]
parts = Parts(members, draw(sizes, alone, generator(job.seed, "resamples")))

comparison = compare_groups(subject, samples, paired, parts)
n_controls, random = settings.contrastive.n_controls, generator(job.seed, "contrastive")
texts = Texts(memorized, others, draw_controls(len(memorized), len(others), n_controls, random))
subject.model.float()  # a step of 1e-5 is lost in bfloat16
contrastive, contrastive_samples = contrastive_attribution(
    subject, texts, comparison.memorized, parts, settings.contrastive
)
job.write(
    parameter_gradients=pd.concat([comparison.scores, contrastive], ignore_index=True),
    parameter_gradient_samples=pd.concat([comparison.samples, contrastive_samples], ignore_index=True),
    paragraph_gradients=comparison.paragraphs,
)
