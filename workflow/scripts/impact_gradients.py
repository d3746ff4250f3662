"""Rule impact_gradients: gradients, and likeness of activations, at two positions of a pair (paper A.2)."""

from memloc.run.rule import log, provenance, start

start(snakemake)

import pandas as pd

from memloc.localization.activation_gradients import impact_gradients
from memloc.localization.forward_similarity import forward_similarity
from memloc.model import loading
from memloc.perturbation.pairs import Pairs
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schemas.activation_gradients import FORWARD_SIMILARITY, IMPACT_GRADIENTS
from memloc.tables.schemas.paragraphs import PARAGRAPHS
from memloc.tables.schemas.perturbation import PERTURBED_PARAGRAPHS

settings, output = sections(snakemake.params.settings), snakemake.output
micro_batch = settings.activation_gradients.micro_batch
perturbed = storage.read(PERTURBED_PARAGRAPHS, snakemake.input.perturbed)
paragraphs = storage.read(PARAGRAPHS, snakemake.input.paragraphs, ["id", "tokens"], perturbed.id)
pairs = Pairs.from_tables(paragraphs, perturbed)
log(f"{len(pairs.ids)} pairs of a memorized paragraph and its perturbed version")

bridge = loading.load_bridge(snakemake.input.folder, settings.loading)
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
storage.write(IMPACT_GRADIENTS, pd.concat(frames, ignore_index=True), output.gradients, stamp)
storage.write(FORWARD_SIMILARITY, forward_similarity(bridge, pairs, micro_batch), output.similarity, stamp)
