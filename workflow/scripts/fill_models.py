"""Rule fill_models: train new models of one size on random tokens, until they hold no more bits."""

from memloc.tables.job import start

job = start(snakemake)

import hashlib
import json
import shutil
from pathlib import Path

import pandas as pd

from memloc.scoring.capacity import filled

width = job.settings.capacity.widths[job.params.shard[0]]
how = job.settings.model.model_copy(update={"width": width})
known = json.dumps([job.stamp, width, job.threads], sort_keys=True)
work = Path(job.params.work) / hashlib.sha256(known.encode()).hexdigest()[:16]
job.write(capacity=pd.DataFrame(filled(how, job.seed, work)))
shutil.rmtree(work)
