"""Rule activation_gradients: gradients of the continuation's NLL with respect to every activation."""

from memloc.rule import log, provenance, start

start(snakemake)

import pandas as pd

from memloc import models, tables
from memloc.activation_gradients import activation_gradients
from memloc.paragraphs import sampled_tokens, token_tensor, used_ids

settings = snakemake.params.settings
n_prefix = settings["paragraph"]["prefix"]
sets = tables.read("sets", snakemake.input.sets)
paragraphs = tables.read("paragraphs", snakemake.input.paragraphs, ["id", "tokens"], used_ids(sets))
perturbed = tables.read("perturbed_paragraphs", snakemake.input.perturbed)
samples = {
    "memorized": sampled_tokens(paragraphs, sets, "memorized", n_prefix),
    "perturbed": (perturbed.id.to_numpy(), token_tensor(perturbed.tokens)),
}
log(", ".join(f"{group}: {len(ids)} paragraphs" for group, (ids, _) in samples.items()))

bridge = models.load_bridge(snakemake.input.folder, **settings["loading"])
frames = [
    activation_gradients(bridge, tokens, ids, group, n_prefix, **settings["activation_gradients"])
    for group, (ids, tokens) in samples.items()
]
tables.write(
    "activation_gradients", pd.concat(frames, ignore_index=True), snakemake.output[0], provenance(snakemake)
)
