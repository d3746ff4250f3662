"""Rule train_model: train a new GPT-NeoX, or fine-tune a pretrained model, and save it as a folder."""

from memloc.tables.job import start

job = start(snakemake)

import shutil
from pathlib import Path

import pandas as pd
from transformers import AutoTokenizer

from memloc.data.packing import windows
from memloc.model import pretrained
from memloc.model.training import Beginning, Files, saved, trained_model
from memloc.run.atomic import atomic_folder

settings = job.settings.model
tokenizer = AutoTokenizer.from_pretrained(job.input.tokenizer, local_files_only=True, trust_remote_code=False)
rows = windows(job.read("training_stream").tokens.tolist(), tokenizer.eos_token_id, settings.context)

base = (job.input.get("base") or [None])[0]
if base:
    job.stamp["base"] = pretrained.weights_sha256(base)
seed = settings.seed if settings.source == "embedded" else None
beginning = Beginning(base, len(tokenizer), job.seed if seed is None else seed, seed)
checkpoints, stamp = Path(job.params.checkpoints), {**job.stamp, "threads": job.threads}
model, curve = trained_model(rows, settings, beginning, Files(checkpoints), stamp)
with atomic_folder(job.output.folder) as folder:
    saved(model, tokenizer, folder)
job.write(training_curve=pd.DataFrame(curve, columns=["step", "loss", "learning_rate"]))
shutil.rmtree(checkpoints, ignore_errors=True)
