"""Rule fill_models: train new models of one size on random tokens, more of them than they can hold."""

from memloc.tables.job import start

job = start(snakemake)

import hashlib
import json
import shutil
from pathlib import Path

import pandas as pd

from memloc.scoring.capacity import learned
from memloc.settings.capacity import TEXTS

width = job.settings.capacity.widths[job.params.shard[0]]
how = job.settings.model.model_copy(update={"width": width})
known = json.dumps([job.stamp, width, job.threads], sort_keys=True)
work = Path(job.params.work) / hashlib.sha256(known.encode()).hexdigest()[:16]
job.write(capacity=pd.DataFrame([learned(text, how, job.seed, work / str(text)) for text in TEXTS]))
shutil.rmtree(work)
