"""Rule model: what identifies the model, and the text of its tokens."""

from memloc.rule import log, provenance, start

start(snakemake)

import json
from pathlib import Path

from memloc import manifest, models, tables
from memloc.atomic import atomic_path

params = snakemake.params
model = models.load_model(snakemake.input.folder, dtype=params.settings["loading"]["dtype"])
tokenizer = models.load_tokenizer(snakemake.input.folder)
description = manifest.describe(model, snakemake.input.folder, params.name, params.revision)
log(json.dumps(description))

stamp = provenance(snakemake) | {"model": description}
tables.write("vocabulary", manifest.vocabulary(tokenizer), snakemake.output.vocabulary, stamp)
with atomic_path(snakemake.output.manifest) as temporary:
    Path(temporary).write_text(json.dumps(description, indent=2) + "\n")
