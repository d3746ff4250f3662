"""Rule model: what identifies the model, and the text of its tokens."""

from memloc.run.rule import log, provenance, start

start(snakemake)

import json
from pathlib import Path

from memloc.model import loading, model_card, pretrained
from memloc.run.atomic import atomic_path
from memloc.settings.loading import Loading
from memloc.tables import storage
from memloc.tables.schemas.vocabulary import VOCABULARY

params = snakemake.params
model = loading.load_model(snakemake.input.folder, Loading(device="cpu", dtype=params.dtype))
tokenizer = pretrained.load_tokenizer(snakemake.input.folder)
description = model_card.describe(model, snakemake.input.folder, params.name, params.revision)
log(json.dumps(description))

stamp = provenance(snakemake) | {"model": description}
storage.write(VOCABULARY, model_card.vocabulary(tokenizer), snakemake.output.vocabulary, stamp)
with atomic_path(snakemake.output.description) as temporary:
    Path(temporary).write_text(json.dumps(description, indent=2) + "\n")
