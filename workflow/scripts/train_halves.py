"""Rule train_halves: train one model on a random half of the paragraphs, and score all paragraphs with it."""

from memloc.tables.job import start

job = start(snakemake)

import math
import shutil
from pathlib import Path

import pandas as pd
from transformers import AutoTokenizer

from memloc.data.filters import kept_rows
from memloc.data.packing import windows_without
from memloc.data.paragraphs import token_tensor
from memloc.model.pretrained import read_model, token_before
from memloc.model.subject import Subject
from memloc.model.training import Beginning, Files, saved, trained_model
from memloc.run.seeds import generator
from memloc.scoring.counterfactual import halves
from memloc.scoring.paragraph_scores import score

settings, number = job.settings, job.params.shard[0]
# About as many steps as for the whole text: with half as many, a model recites a tenth as many paragraphs.
how = settings.model.model_copy(update={"batch": math.ceil(settings.model.batch / 2)})
paragraphs, stream = job.read("paragraphs", ["id", "tokens"]), job.read("training_stream")
drawn = halves(settings.counterfactual.n_models, len(paragraphs), job.seed)[number]
trained = drawn & paragraphs.id.isin(stream.id).to_numpy()
tokenizer = AutoTokenizer.from_pretrained(job.input.tokenizer, local_files_only=True, trust_remote_code=False)
rows = windows_without(stream, paragraphs.id[~trained], tokenizer.eos_token_id, how.context)

own = int(generator(job.seed, "counterfactual", "model", str(number)).integers(2**31))
base, work = (job.input.get("base") or [None])[0], Path(job.params.work) / str(number)
stamp = {"code": job.params.code, "threads": job.threads}
model, _ = trained_model(rows, how, Beginning(base, len(tokenizer), own, own), Files(work), stamp)
folder = saved(model, tokenizer, work / "model")
scoring, before = settings.scores, token_before(folder, settings.paragraph.before)
subject = Subject(read_model(folder), settings.paragraph.prefix, scoring.micro_batch, before)

kept = kept_rows(paragraphs.id, job.read("dropped_paragraphs").id)
tokens = subject.placed(token_tensor(paragraphs.tokens[kept]))
scores = score(subject.of_placed, tokens, scoring.margin_threshold)
found = {"em": scores.em.numpy(), "nll": scores.nll.numpy()}
rows = pd.DataFrame({"model": number, "id": paragraphs.id[kept], "trained": trained[kept], **found})
job.write(half_scores=rows)
shutil.rmtree(work)
