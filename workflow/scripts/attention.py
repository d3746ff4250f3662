"""Rule attention: attention of the first decoded token onto the prefix, for every head."""

from memloc.tables.job import start

job = start(snakemake)

import torch

from memloc.data.paragraphs import attention_ids, attention_sample
from memloc.localization.attention import attention_frame, prefix_attention
from memloc.model import loading
from memloc.scoring.decoding import continue_from_scores

settings, n_prefix = job.settings, job.settings.paragraph.prefix
sets = job.read("sets")
paragraphs = job.read("paragraphs", ["id", "tokens"], attention_ids(sets))
ids, tokens, unknown = attention_sample(paragraphs, sets, n_prefix)

model = loading.load_model(job.input.folder, settings.loading)
if settings.sets.continuation == "model":
    scores = job.read("scores", ["id", "em"], ids).set_index("id")
    em = torch.tensor(scores.em.loc[ids].to_numpy())[unknown]
    first = continue_from_scores(  # decoded where it is not the true one
        model, tokens[unknown], em.clamp(max=1), n_prefix, settings.scores.micro_batch
    )
    tokens[unknown, n_prefix] = first[:, 0]
    job.log(f"{int(unknown.sum())} first tokens, {int((em == 0).sum())} of them decoded")

bridge = loading.boot_bridge(model)
attention = prefix_attention(bridge, tokens, n_prefix, settings.attention.micro_batch)
job.log(f"{len(ids)} paragraphs x {attention.shape[1]} layers x {attention.shape[2]} heads")
job.write(attention=attention_frame(attention, ids))
