"""Rule activation_gradients: gradients of the continuation's NLL with respect to every activation."""

from memloc.run.rule import log, provenance, start

start(snakemake)

import pandas as pd

from memloc.data.paragraphs import sampled_tokens, token_tensor, used_ids
from memloc.localization.activation_gradients import activation_gradients
from memloc.model import loading
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schemas.activation_gradients import ACTIVATION_GRADIENTS
from memloc.tables.schemas.paragraphs import PARAGRAPHS
from memloc.tables.schemas.perturbation import PERTURBED_PARAGRAPHS
from memloc.tables.schemas.sets import SETS

settings = sections(snakemake.params.settings)
n_prefix = settings.paragraph.prefix
sets = storage.read(SETS, snakemake.input.sets)
paragraphs = storage.read(PARAGRAPHS, snakemake.input.paragraphs, ["id", "tokens"], used_ids(sets))
perturbed = storage.read(PERTURBED_PARAGRAPHS, snakemake.input.perturbed)
samples = {
    "memorized": sampled_tokens(paragraphs, sets, "memorized", n_prefix),
    "perturbed": (perturbed.id.to_numpy(), token_tensor(perturbed.tokens)),
}
log(", ".join(f"{group}: {len(ids)} paragraphs" for group, (ids, _) in samples.items()))

bridge = loading.load_bridge(snakemake.input.folder, settings.loading)
frames = [
    activation_gradients(bridge, tokens, ids, group, n_prefix, settings.activation_gradients)
    for group, (ids, tokens) in samples.items()
]
storage.write(
    ACTIVATION_GRADIENTS, pd.concat(frames, ignore_index=True), snakemake.output[0], provenance(snakemake)
)
