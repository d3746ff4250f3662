"""Rule impact_gradients: gradients, and likeness of activations, at two positions of a pair (paper A.2)."""

from memloc.rule import log, provenance, start

start(snakemake)

import pandas as pd

from memloc import models, tables
from memloc.activation_gradients import impact_gradients
from memloc.forward_similarity import forward_similarity
from memloc.patching import Pairs

settings, output = snakemake.params.settings, snakemake.output
micro_batch = settings["activation_gradients"]["micro_batch"]
perturbed = tables.read("perturbed_paragraphs", snakemake.input.perturbed)
paragraphs = tables.read("paragraphs", snakemake.input.paragraphs, ["id", "tokens"], perturbed.id)
pairs = Pairs.from_tables(paragraphs, perturbed)
log(f"{len(pairs.ids)} pairs of a memorized paragraph and its perturbed version")

bridge = models.load_bridge(snakemake.input.folder, **settings["loading"])
frames = [
    impact_gradients(
        bridge,
        tokens,
        pairs.ids,
        group,
        pairs.perturbed_position,
        pairs.impact_position,
        micro_batch,
    )
    for group, tokens in (("memorized", pairs.memorized), ("perturbed", pairs.perturbed))
]
stamp = provenance(snakemake)
tables.write("impact_gradients", pd.concat(frames, ignore_index=True), output.gradients, stamp)
tables.write("forward_similarity", forward_similarity(bridge, pairs, micro_batch), output.similarity, stamp)
