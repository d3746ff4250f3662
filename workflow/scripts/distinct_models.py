"""Rule distinct_models: no two checkpoints of a study are the same model."""

from memloc.tables.job import start

job = start(snakemake)

import json
from pathlib import Path

from memloc.model.model_card import require_distinct
from memloc.run.atomic import write_text

cards = {
    name: json.loads(Path(file).read_text())
    for name, file in zip(job.params.names, job.input.models, strict=True)
}
require_distinct(cards)
write_text(job.output.models, json.dumps(cards, indent=2) + "\n")
