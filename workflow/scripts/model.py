"""Rule model: the model's hash and sizes, which identify it, and the text of its tokens."""

from memloc.tables.job import start

job = start(snakemake)

import json
from pathlib import Path

from memloc.data.chosen_files import told
from memloc.model import model_card, pretrained
from memloc.model.context import require_room
from memloc.run.atomic import write_text
from memloc.settings.loading import Loading

params = job.params
require_room(job.input.folder, job.settings.paragraph.length)  # of a model that has just been downloaded
model = pretrained.read_model(job.input.folder, Loading(device="cpu", dtype=params.dtype))
tokenizer = pretrained.load_tokenizer(job.input.folder)
description = model_card.describe(model, job.input.folder, params.name, params.revision)
if job.input.text:
    description["text"] = told(json.loads(Path(job.input.text[0]).read_text()))

job.stamp["model"] = description
job.write(vocabulary=model_card.vocabulary(tokenizer))
write_text(job.output.description, json.dumps(description, indent=2) + "\n")
