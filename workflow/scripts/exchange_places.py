"""Rule exchange_places: exchange the places of memories between the model and its twins."""

from memloc.tables.job import start

job = start(snakemake)

import torch

from memloc.data.paragraphs import token_tensor
from memloc.model import loading
from memloc.planting.grown import memories_of
from memloc.planting.twins import Family, twins_table

settings, n_prefix = job.settings, job.settings.paragraph.prefix
grown = job.read("grown")
tokens = token_tensor(job.read("paragraphs", ["id", "tokens"]).set_index("id").tokens.loc[grown.id])
own, swapped, never, before = map(
    loading.load_model, (job.input.folder, *job.input.twin_folders, job.input.folder)
)
before.load_state_dict(torch.load(job.input.before, weights_only=True)["model"])
family = Family(own, swapped, never, before)
found = twins_table(family, memories_of(own, grown), tokens, n_prefix)
recited = found[found.em == settings.paragraph.continuation]
job.log(
    f"{len(recited)} of {len(found)} memories took; other weights carry {recited.leak.mean():.0%} of them"
)
job.write(twins=found)
