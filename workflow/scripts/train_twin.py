"""Rule train_twin: train a twin of the model, from where memories begin to grow.

It is trained as the model is, except that every memory grows in the place of another one (`swapped`), or
nothing grows (`never`).
"""

from memloc.tables.job import start

job = start(snakemake)

import shutil
from importlib import import_module
from pathlib import Path

from transformers import AutoTokenizer

from memloc.data.packing import windows_without
from memloc.model.training import Beginning, Files, saved, trained_model
from memloc.run.atomic import atomic_folder

settings, twin = job.settings.model, job.params.twin
paragraphs = job.read("paragraphs", ["id", "unseen", "tokens"])
stream, tokens = job.read("training_stream")["id"], paragraphs.set_index("id")["tokens"]
tokenizer = AutoTokenizer.from_pretrained(job.input.tokenizer, local_files_only=True, trust_remote_code=False)
rows = windows_without(stream, tokens, (), tokenizer.eos_token_id, settings.context)
seed = job.seed if settings.seed is None else settings.seed
growth = None
if twin == "swapped":
    growing, n_prefix = import_module(job.params.module).Growth, job.settings.paragraph.prefix
    growth = growing(paragraphs, n_prefix, tokenizer.eos_token_id, settings.grown, job.seed, swapped=True)
work, stamp = Path(job.params.checkpoints) / twin, {**job.stamp, "threads": job.threads, "twin": twin}
beginning = Beginning(None, len(tokenizer), seed, settings.seed)
files = Files(work, start=Path(job.input.before))
model, _ = trained_model(rows, settings, beginning, files, stamp, growth)
with atomic_folder(job.output.folder) as folder:
    saved(model, tokenizer, folder)
shutil.rmtree(work, ignore_errors=True)
