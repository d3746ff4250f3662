"""Rule retrain: train the model again from the same seed, without the paragraphs that are removed."""

from memloc.tables.job import start

job = start(snakemake)

import shutil
from pathlib import Path

import numpy as np
from transformers import AutoTokenizer

from memloc.data.packing import windows_without
from memloc.data.sets import require_memorized
from memloc.model.training import Beginning, Files, saved, trained_model
from memloc.removal.removal_texts import removed_ids
from memloc.run.atomic import atomic_folder
from memloc.tables import storage

settings, how = job.settings, job.settings.model
sets = job.read("sets")
require_memorized(settings.remove.ids, "remove.ids", sets)
removed, _ = removed_ids(sets, settings.remove, job.seed, settings.remove.ids)
tokenizer = AutoTokenizer.from_pretrained(job.input.tokenizer, local_files_only=True, trust_remote_code=False)
stream = job.read("training_stream")
left_out = np.repeat(stream.id.isin(removed), stream.tokens.map(len) + 1)
rows = windows_without(stream, left_out, tokenizer.eos_token_id, how.context)

# The study whose samples are drawn again with another seed has the model of the first one.
of_study = storage.provenance(job.input.training_curve)["seed"]
seed = how.seed if how.source == "embedded" else None
base, work = (job.input.get("base") or [None])[0], Path(job.params.work)
stamp = {"code": job.params.code, "threads": job.threads}
beginning = Beginning(base, len(tokenizer), of_study if seed is None else seed, seed)
model, _ = trained_model(rows, how, beginning, Files(work), stamp)
with atomic_folder(job.output.folder) as folder:
    saved(model, tokenizer, folder)
shutil.rmtree(work, ignore_errors=True)
