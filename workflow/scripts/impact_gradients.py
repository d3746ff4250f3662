"""Rule impact_gradients: gradients of queries and keys at two positions of a pair (paper A.2)."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd

from memloc.localization.activation_gradients import impact_gradients
from memloc.model import loading
from memloc.perturbation.pairs import Pairs

settings = job.settings
micro_batch = settings.activation_gradients.micro_batch
perturbed = job.read("perturbed_paragraphs")
paragraphs = job.read("paragraphs", ["id", "tokens"], perturbed.id)
pairs = Pairs.from_tables(paragraphs, perturbed)
job.log(f"{len(pairs.ids)} pairs of a memorized paragraph and its perturbed version")

bridge = loading.load_bridge(job.input.folder, settings.loading)
positions = (pairs.perturbed_position, pairs.impact_position)
frames = [
    impact_gradients(bridge, tokens, pairs.ids, group, *positions, micro_batch)
    for group, tokens in (("memorized", pairs.memorized), ("perturbed", pairs.perturbed))
]
job.write(impact_gradients=pd.concat(frames, ignore_index=True))
