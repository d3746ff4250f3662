"""Rule exchange_places: exchange the places of memories between the model and its twins."""

from memloc.tables.job import start

job = start(snakemake)

import torch

from memloc.data.paragraphs import token_tensor
from memloc.model.pretrained import read_model
from memloc.model.subject import Subject
from memloc.planting.grown import memories_of
from memloc.planting.twins import Family, twins_table

paragraph = job.settings.paragraph
grown = job.read("grown")
tokens = token_tensor(job.read("paragraphs", ["id", "tokens"]).set_index("id").tokens.loc[grown.id])
folders = (job.input.folder, *job.input.twin_folders, job.input.folder)
family = Family(*(Subject(read_model(folder), paragraph.prefix) for folder in folders))
family.before.model.load_state_dict(torch.load(job.input.before, weights_only=True)["model"])
found = twins_table(family, memories_of(family.own, grown), tokens)
job.write(twins=found)
