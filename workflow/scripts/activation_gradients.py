"""Rule activation_gradients: gradients of the continuation's NLL with respect to every activation."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd

from memloc.data.paragraphs import sampled_tokens, token_tensor, used_ids
from memloc.localization.activation_gradients import activation_gradients
from memloc.model import loading

settings, n_prefix = job.settings, job.settings.paragraph.prefix
sets = job.read("sets")
paragraphs = job.read("paragraphs", ["id", "tokens"], used_ids(sets))
perturbed = job.read("perturbed_paragraphs")
samples = {
    "memorized": sampled_tokens(paragraphs, sets, "memorized", n_prefix),
    "perturbed": (perturbed.id.to_numpy(), token_tensor(perturbed.tokens)),
}
job.log(", ".join(f"{group}: {len(ids)} paragraphs" for group, (ids, _) in samples.items()))

bridge = loading.load_bridge(job.input.folder, settings.loading)
frames = [
    activation_gradients(bridge, tokens, ids, group, n_prefix, settings.activation_gradients)
    for group, (ids, tokens) in samples.items()
]
job.write(activation_gradients=pd.concat(frames, ignore_index=True))
