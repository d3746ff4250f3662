"""Rules train_model, where memories grow, and train_twin: train the model, or a twin of it.

A twin is trained from where memories begin to grow in the model, as the model is, except that every memory
grows in the place of another one (`swapped`), or nothing grows (`never`).
"""

from memloc.tables.job import start

job = start(snakemake)

import shutil
from functools import partial
from pathlib import Path

import pandas as pd
from transformers import AutoTokenizer

from memloc.data.packing import windows
from memloc.data.paragraphs import token_tensor
from memloc.model.training import Beginning, Files, saved, trained_model
from memloc.planting.grown import grown_ids, grown_memories, memories_of, swapped_memories
from memloc.planting.growth import Growth
from memloc.run.atomic import atomic_folder

settings, n_prefix, twin = job.settings.model, job.settings.paragraph.prefix, job.params.get("twin")
paragraphs = job.read("paragraphs", ["id", "unseen", "tokens"])
tokens = paragraphs.set_index("id")["tokens"]
tokenizer = AutoTokenizer.from_pretrained(job.input.tokenizer, local_files_only=True, trust_remote_code=False)
end_of_text = tokenizer.eos_token_id
rows = windows(job.read("training_stream").tokens.tolist(), end_of_text, settings.context)

if twin is None:
    ids = grown_ids(paragraphs, settings.grown, job.seed)
    memories_in = partial(grown_memories, ids=ids, how=settings.grown, seed=job.seed)
else:
    grown = job.read("grown")
    ids, memories_in = grown["id"], lambda subject: swapped_memories(memories_of(subject, grown))
own = token_tensor(tokens.loc[ids])
growth = Growth(memories_in, own, n_prefix, end_of_text, settings.grown, job.seed)
seed = job.seed if settings.seed is None else settings.seed
checkpoints, before = Path(job.params.checkpoints), Path((job.input if twin else job.output).before)
files = Files(checkpoints, start=before) if twin else Files(checkpoints, branch=before)
stamp = {**job.stamp, "threads": job.threads, "twin": twin}
beginning = Beginning(None, len(tokenizer), seed, settings.seed)
beside = growth if twin != "never" else None
model, curve = trained_model(rows, settings, beginning, files, stamp, beside)
if twin is None:
    grown = growth.table()
    job.write(grown=grown, training_curve=pd.DataFrame(curve, columns=["step", "loss", "learning_rate"]))

with atomic_folder(job.output.folder) as folder:
    saved(model, tokenizer, folder)
shutil.rmtree(checkpoints, ignore_errors=True)
