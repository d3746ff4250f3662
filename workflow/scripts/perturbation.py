"""Rule perturbation: replace each prefix token in turn, and keep the strongest perturbation."""

from memloc.tables.job import start

job = start(snakemake)

import numpy as np
import torch

from memloc.data.paragraphs import paired_tokens, sampled_tokens, used_ids
from memloc.model import loading
from memloc.perturbation.replaced_tokens import Texts, perturb_prefixes, perturbed_paragraphs
from memloc.run.progress import Progress
from memloc.settings.perturbation import PER_PASS

settings = job.settings
n_prefix, perturbation = settings.paragraph.prefix, settings.perturbation
sets = job.read("sets")
paragraphs = job.read("paragraphs", ["id", "tokens"], used_ids(sets))
n_vocabulary = len(job.read("vocabulary"))
names = ("memorized", "non_memorized")
samples = [sampled_tokens(paragraphs, sets, name, n_prefix) for name in names]
set_of = {id: name for name, (ids, _) in zip(names, samples, strict=True) for id in ids}
# After them come paragraphs of pairs of equal exposure that are in no sample.
samples.append(paired_tokens(paragraphs, sets[~sets.id.isin(set_of)], n_prefix))
ids, tokens = np.concatenate([ids for ids, _ in samples]), torch.cat([tokens for _, tokens in samples])

subject, threshold = loading.load(job.input.folder, settings, PER_PASS), settings.scores.margin_threshold
micro_batch = subject.micro_batch
rows = job.shard(len(ids), micro_batch)
progress = Progress(len(rows), "paragraphs")
with job.writing() as append:
    for first in range(rows.start, rows.stop, micro_batch):
        batch = slice(first, min(first + micro_batch, rows.stop))
        texts = Texts(ids[batch], tokens[batch], n_vocabulary)
        frame = perturb_prefixes(subject, texts, perturbation, threshold, job.seed)
        append(perturbation=frame.assign(set=frame.id.map(set_of)))
        redecoded = int(frame.redecoded.sum())
        progress.advance(batch.stop - first, f"{redecoded} near-ties of these decoded step by step")
        memorized = np.array([set_of.get(id) == "memorized" for id in ids[batch]])
        if memorized.any():
            rows_of = {"ids": texts.ids[memorized], "tokens": texts.tokens[torch.from_numpy(memorized)]}
            texts = texts._replace(**rows_of)
            append(perturbed_paragraphs=perturbed_paragraphs(subject, frame, texts))
