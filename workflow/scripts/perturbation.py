"""Rule perturbation: replace every prefix token in turn, and keep each paragraph's strongest perturbation."""

from memloc.run.rule import log, provenance, start

start(snakemake)

import numpy as np
import torch

from memloc.data.paragraphs import sampled_tokens, used_ids
from memloc.model import loading
from memloc.perturbation.replaced_tokens import perturb_prefixes, perturbed_paragraphs
from memloc.run.progress import Progress
from memloc.run.shards import shard_rows
from memloc.scoring.screening import screening_model, screening_pays
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schemas.paragraphs import PARAGRAPHS
from memloc.tables.schemas.perturbation import PERTURBATION, PERTURBED_PARAGRAPHS
from memloc.tables.schemas.sets import SETS
from memloc.tables.schemas.vocabulary import VOCABULARY

settings, output = sections(snakemake.params.settings), snakemake.output
n_prefix, perturbation = settings.paragraph.prefix, settings.perturbation
micro_batch = perturbation.micro_batch
sets = storage.read(SETS, snakemake.input.sets)
paragraphs = storage.read(PARAGRAPHS, snakemake.input.paragraphs, ["id", "tokens"], used_ids(sets))
n_vocabulary = len(storage.read(VOCABULARY, snakemake.input.vocabulary))
names = ("memorized", "non_memorized")
samples = [sampled_tokens(paragraphs, sets, name, n_prefix) for name in names]
set_of = {id: name for name, (ids, _) in zip(names, samples, strict=True) for id in ids}
ids, tokens = np.concatenate([ids for ids, _ in samples]), torch.cat([tokens for _, tokens in samples])
rows = shard_rows(len(ids), *snakemake.params.shard, micro_batch)
log(f"{len(rows)} of {len(ids)} paragraphs")

model = loading.load_for_inference(snakemake.input.folder, settings.loading)
screen = screening_model(model) if not perturbation.nll and screening_pays(model) else None
how = (n_prefix, n_vocabulary, perturbation, settings.scores, screen, snakemake.params.seed)
stamp, progress = provenance(snakemake), Progress(len(rows), "paragraphs")
with (
    storage.writer(PERTURBATION, output.perturbation, stamp) as every_prefix,
    storage.writer(PERTURBED_PARAGRAPHS, output.perturbed_paragraphs, stamp) as perturbed,
):
    for first in range(rows.start, rows.stop, micro_batch):
        batch = slice(first, min(first + micro_batch, rows.stop))
        frame = perturb_prefixes(model, ids[batch], tokens[batch], *how)
        every_prefix.append(frame.assign(set=frame.id.map(set_of)))
        redecoded = int(frame.redecoded.sum())
        progress.advance(batch.stop - first, f"{redecoded} near-ties of these decoded step by step")
        memorized = np.array([set_of[id] == "memorized" for id in ids[batch]])
        if memorized.any():
            chosen = ids[batch][memorized], tokens[batch][torch.from_numpy(memorized)]
            found = perturbed_paragraphs(model, frame, *chosen, n_prefix, micro_batch)
            perturbed.append(found)
            n_left_out = memorized.sum() - len(found)
            log(f"{len(found)} perturbed paragraphs; {n_left_out} left out: no perturbation changes them")
