"""Rule attention: attention of the first decoded token onto the prefix, and its entropy, for every head."""

from memloc.rule import log, provenance, start

start(snakemake)

import torch

from memloc import models, tables
from memloc.attention import attention_entropy, attention_frame, prefix_attention
from memloc.decoding import first_decoded
from memloc.paragraphs import attention_ids, attention_sample

settings, source = snakemake.params.settings, snakemake.input
n_prefix = settings["paragraph"]["prefix"]
sets = tables.read("sets", source.sets)
paragraphs = tables.read("paragraphs", source.paragraphs, ["id", "tokens"], attention_ids(sets))
ids, tokens, unknown = attention_sample(paragraphs, sets, n_prefix)

model = models.load_model(source.folder, **settings["loading"])
if settings["sets"]["continuation"] == "model":
    scores = tables.read("scores", source.scores, ["id", "em"], ids).set_index("id")
    em = torch.tensor(scores.em.loc[ids].to_numpy())[unknown]
    tokens[unknown, n_prefix] = first_decoded(
        model, tokens[unknown], em, n_prefix, settings["scores"]["micro_batch"]
    )
    log(f"{int(unknown.sum())} first tokens, {int((em == 0).sum())} of them decoded")

bridge = models.boot_bridge(model, models.load_tokenizer(source.folder))
attention = prefix_attention(bridge, tokens, n_prefix, **settings["attention"])
log(f"{len(ids)} paragraphs x {attention.shape[1]} layers x {attention.shape[2]} heads")
stamp = provenance(snakemake)
tables.write("attention", attention_frame(attention, ids), snakemake.output.attention, stamp)
tables.write("attention_entropy", attention_entropy(attention, ids), snakemake.output.entropy, stamp)
