"""Rule model: what identifies the model, and the text of its tokens."""

from memloc.tables.job import start

job = start(snakemake)

import json
from pathlib import Path

from memloc.model import loading, model_card, pretrained
from memloc.model.context import require_room
from memloc.run.atomic import atomic_path
from memloc.settings.loading import Loading

params = job.params
require_room(job.input.folder, job.settings.paragraph.length)  # of a model that has just been downloaded
model = loading.load_model(job.input.folder, Loading(device="cpu", dtype=params.dtype))
tokenizer = pretrained.load_tokenizer(job.input.folder)
description = model_card.describe(model, job.input.folder, params.name, params.revision)
job.log(json.dumps(description))

job.stamp["model"] = description
job.write(vocabulary=model_card.vocabulary(tokenizer))
with atomic_path(job.output.description) as temporary:
    Path(temporary).write_text(json.dumps(description, indent=2) + "\n")
