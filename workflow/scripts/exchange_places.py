"""Rule exchange_places: exchange the places of memories between the model and its twins."""

from memloc.tables.job import start

job = start(snakemake)

import torch

from memloc.data.paragraphs import token_tensor
from memloc.model import loading
from memloc.planting.twins import Family, twins_table
from memloc.tables import storage

settings, n_prefix = job.settings, job.settings.paragraph.prefix
ids = job.read("grown", ["id"]).id.to_numpy()
tokens = token_tensor(job.read("paragraphs", ["id", "tokens"]).set_index("id").tokens.loc[ids])
own, swapped, never, before = map(
    loading.load_model, (job.input.folder, *job.input.twin_folders, job.input.folder)
)
before.load_state_dict(torch.load(job.input.before, weights_only=True)["model"])
seed = storage.provenance(job.input.grown)["seed"]
found = twins_table(Family(own, swapped, never, before), ids, tokens, n_prefix, settings.model.grown, seed)
recited = found[found.em == settings.paragraph.continuation]
job.log(
    f"{len(recited)} of {len(found)} memories took; other weights carry {recited.leak.mean():.0%} of them"
)
job.write(twins=found)
