"""Rule attention: attention of the first decoded token onto the prefix, for every head."""

from memloc.tables.job import start

job = start(snakemake)

from dataclasses import replace

import torch

from memloc.data.paragraphs import attention_ids, attention_sample
from memloc.localization.attention import attention_frame, prefix_attention
from memloc.model import loading
from memloc.scoring.decoding import continue_from_scores

settings, n_prefix = job.settings, job.settings.paragraph.prefix
sets = job.read("sets")
paragraphs = job.read("paragraphs", ["id", "tokens"], attention_ids(sets))
ids, tokens, unknown = attention_sample(paragraphs, sets, n_prefix)

subject = loading.load(job.input.folder, settings, 32)
if settings.sets.continuation == "model":
    scores = job.read("scores", ["id", "em"], ids).set_index("id")
    em = torch.tensor(scores.em.loc[ids].to_numpy())[unknown]
    decoding = replace(subject, micro_batch=settings.loading.micro_batch or 64)
    first = continue_from_scores(decoding, tokens[unknown], em.clamp(max=1))  # decoded where it is not true
    tokens[unknown, n_prefix] = first[:, 0]

attention = prefix_attention(loading.bridged(subject), tokens)
job.write(attention=attention_frame(attention, ids))
