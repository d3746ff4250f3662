"""Rule train_model: train a new GPT-NeoX, or fine-tune a pretrained model, and save it as a folder."""

from memloc.tables.job import start

job = start(snakemake)

import hashlib
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
from transformers import AutoTokenizer

from memloc.data import packing
from memloc.model import onednn, pretrained, training
from memloc.run.atomic import atomic_folder
from memloc.run.progress import Progress

pretrained.use_deterministic_algorithms()
settings = job.settings.model
paragraphs = job.read("paragraphs", ["id", "tokens"]).set_index("id")["tokens"]
stream = job.read("training_stream")["id"]
seed = settings.seed if settings.source == "embedded" else None
tokenizer = AutoTokenizer.from_pretrained(job.input.tokenizer, local_files_only=True, trust_remote_code=False)
documents = np.stack(paragraphs.loc[stream].to_list())
rows = training.ordered(packing.windows(documents, tokenizer.eos_token_id, settings.context), seed)

if base := job.input.get("base"):
    model = pretrained.read_model(base[0])
    job.stamp["base"] = pretrained.weights_sha256(base[0])
else:
    shape = {name: getattr(settings, name) for name in ("n_layers", "n_heads", "width", "context")}
    model = training.new_model(len(tokenizer), **shape, seed=job.seed if seed is None else seed)
native = onednn.native_bfloat16(model.device)
bf16 = settings.precision == "bfloat16" or (settings.precision == "auto" and native)
job.log(f"{model.num_parameters():,} parameters, {rows.size:,} tokens, {'bfloat16' if bf16 else 'float32'}")

# The state belongs to these settings, this text and this code: another training never resumes from it.
key = hashlib.sha256(json.dumps([job.stamp, bf16, job.threads]).encode() + rows.tobytes()).hexdigest()[:16]
checkpoints = Path(job.params.checkpoints)
progress = Progress(math.ceil(len(rows) / settings.batch), "steps")
curve = training.train(
    model,
    rows,
    settings,
    bf16,
    checkpoint=checkpoints / f"{key}.pt",
    report=lambda step, n_steps, loss: progress.at(step, f"loss {loss:.3f}"),
)

with atomic_folder(job.output.folder) as folder:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
job.write(training_curve=pd.DataFrame(curve, columns=["step", "loss", "learning_rate"]))
shutil.rmtree(checkpoints, ignore_errors=True)
