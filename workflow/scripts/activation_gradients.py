"""Rule activation_gradients: gradients of NLLs with respect to activations (paper 6.1 and A.2)."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd

from memloc.data.paragraphs import sampled_tokens, used_ids
from memloc.localization.activation_gradients import activation_gradients, impact_gradients
from memloc.model import loading
from memloc.perturbation.pairs import Pairs

settings, n_prefix, how = job.settings, job.settings.paragraph.prefix, job.settings.activation_gradients
sets = job.read("sets")
paragraphs = job.read("paragraphs", ["id", "tokens"], used_ids(sets))
pairs = Pairs.from_tables(paragraphs, job.read("perturbed_paragraphs"))
samples = {
    "memorized": sampled_tokens(paragraphs, sets, "memorized", n_prefix),
    "perturbed": (pairs.ids, pairs.perturbed),
}

subject = loading.bridged(loading.load(job.input.folder, settings, 10))
whole = [
    activation_gradients(subject, tokens, ids, group, how.reference)
    for group, (ids, tokens) in samples.items()
]
impact = [impact_gradients(subject, pairs, group) for group in samples]
job.write(
    activation_gradients=pd.concat(whole, ignore_index=True),
    impact_gradients=pd.concat(impact, ignore_index=True),
)
