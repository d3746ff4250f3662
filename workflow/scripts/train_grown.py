"""Rules train_model, where memories grow, and train_twin: train the model, or a twin of it.

A twin is trained from where memories begin to grow in the model, as the model is, except that every memory
grows in the place of another one (`swapped`), or nothing grows (`never`).
"""

from memloc.tables.job import start

job = start(snakemake)

import shutil
from pathlib import Path

import pandas as pd
from transformers import AutoTokenizer

from memloc.data.packing import windows_without
from memloc.model.training import Beginning, Files, saved, trained_model
from memloc.planting.growth import Growth
from memloc.run.atomic import atomic_folder

settings, n_prefix, twin = job.settings.model, job.settings.paragraph.prefix, job.params.get("twin")
paragraphs = job.read("paragraphs", ["id", "unseen", "tokens"])
stream, tokens = job.read("training_stream")["id"], paragraphs.set_index("id")["tokens"]
tokenizer = AutoTokenizer.from_pretrained(job.input.tokenizer, local_files_only=True, trust_remote_code=False)
end_of_text = tokenizer.eos_token_id
rows = windows_without(stream, tokens, (), end_of_text, settings.context)

growth = None
if twin != "never":
    growth = Growth(paragraphs, n_prefix, end_of_text, settings.grown, job.seed, swapped=twin == "swapped")
seed = job.seed if settings.seed is None else settings.seed
checkpoints, before = Path(job.params.checkpoints), (job.output if twin is None else job.input).get("before")
files = Files(checkpoints, **{"branch" if twin is None else "start": Path(before)} if before else {})
stamp = {**job.stamp, "threads": job.threads, "twin": twin}
beginning = Beginning(None, len(tokenizer), seed, settings.seed)
model, curve = trained_model(rows, settings, beginning, files, stamp, growth)
if twin is None:
    grown = growth.table()
    took = (grown.em == job.settings.paragraph.continuation).sum()
    job.log(f"{took} of {len(grown)} memories took")
    job.write(grown=grown, training_curve=pd.DataFrame(curve, columns=["step", "loss", "learning_rate"]))

with atomic_folder(job.output.folder) as folder:
    saved(model, tokenizer, folder)
shutil.rmtree(checkpoints, ignore_errors=True)
