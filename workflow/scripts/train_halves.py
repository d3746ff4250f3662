"""Rule train_halves: train one model on a random half of the paragraphs, and score all drawn ones with it."""

from memloc.tables.job import start

job = start(snakemake)

import math
import shutil
from pathlib import Path

from transformers import AutoTokenizer

from memloc.data.halves import halves, within
from memloc.data.packing import windows_without
from memloc.data.paragraphs import token_tensor
from memloc.model.pretrained import read_model, token_before
from memloc.model.subject import Subject
from memloc.model.training import Beginning, Files, saved, trained_model
from memloc.run.seeds import generator
from memloc.scoring.paragraph_scores import score

settings, number = job.settings, job.params.shard[0]
# About as many steps as for the whole text: with half as many, a model recites a tenth as many paragraphs.
how = settings.model.model_copy(update={"batch": math.ceil(settings.model.batch / 2)})
paragraphs, stream = job.read("paragraphs", ["id", "unseen", "tokens"]), job.read("training_stream")
texts = job.read("half_texts")
drawn = paragraphs.id.isin(texts.id)
half = halves(settings.counterfactual.n_models, len(paragraphs), job.seed)[number]
paragraphs["trained"] = drawn & half
without = texts.place[~texts.id.isin(paragraphs.id[paragraphs.trained])]
n_tokens = int(stream.tokens.map(len).sum()) + len(stream)
left_out = within(without, n_tokens, settings.paragraph.length)
tokenizer = AutoTokenizer.from_pretrained(job.input.tokenizer, local_files_only=True, trust_remote_code=False)
rows = windows_without(stream, left_out, tokenizer.eos_token_id, how.context)

own = int(generator(job.seed, "counterfactual", "model", str(number)).integers(2**31))
base, work = (job.input.get("base") or [None])[0], Path(job.params.work) / str(number)
stamp = {"code": job.params.code, "threads": job.threads}
model, _ = trained_model(rows, how, Beginning(base, len(tokenizer), own, own), Files(work), stamp)
folder = saved(model, tokenizer, work / "model")
before, micro_batch = token_before(folder, settings.paragraph.before), settings.loading.micro_batch or 64
subject = Subject(read_model(folder), settings.paragraph.prefix, micro_batch, before)

dropped = job.read("dropped_paragraphs").id
judged = paragraphs[(drawn | paragraphs.unseen) & ~paragraphs.id.isin(dropped)]
tokens, threshold = subject.preceded(token_tensor(judged.tokens)), settings.scores.margin_threshold
scores = score(subject.of_preceded, tokens, threshold)
found = {"em": scores.em.numpy(), "nll": scores.nll.numpy(), "n_weights": model.num_parameters()}
job.write(half_scores=judged[["id", "trained"]].assign(model=number, **found))
shutil.rmtree(work)
