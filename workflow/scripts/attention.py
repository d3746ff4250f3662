"""Rule attention: attention of the first decoded token onto the prefix, and its entropy, for every head."""

from memloc.run.rule import log, provenance, start

start(snakemake)

import torch

from memloc.data.paragraphs import attention_ids, attention_sample
from memloc.localization.attention import prefix_attention
from memloc.localization.attention_tables import attention_entropy, attention_frame
from memloc.model import loading, pretrained
from memloc.scoring.decoding import first_decoded
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schemas.attention import ATTENTION, ATTENTION_ENTROPY
from memloc.tables.schemas.paragraphs import PARAGRAPHS
from memloc.tables.schemas.scores import SCORES
from memloc.tables.schemas.sets import SETS

settings, source = sections(snakemake.params.settings), snakemake.input
n_prefix = settings.paragraph.prefix
sets = storage.read(SETS, source.sets)
paragraphs = storage.read(PARAGRAPHS, source.paragraphs, ["id", "tokens"], attention_ids(sets))
ids, tokens, unknown = attention_sample(paragraphs, sets, n_prefix)

model = loading.load_model(source.folder, settings.loading)
if settings.sets.continuation == "model":
    scores = storage.read(SCORES, source.scores, ["id", "em"], ids).set_index("id")
    em = torch.tensor(scores.em.loc[ids].to_numpy())[unknown]
    tokens[unknown, n_prefix] = first_decoded(
        model, tokens[unknown], em, n_prefix, settings.scores.micro_batch
    )
    log(f"{int(unknown.sum())} first tokens, {int((em == 0).sum())} of them decoded")

bridge = loading.boot_bridge(model, pretrained.load_tokenizer(source.folder))
attention = prefix_attention(bridge, tokens, n_prefix, settings.attention.micro_batch)
log(f"{len(ids)} paragraphs x {attention.shape[1]} layers x {attention.shape[2]} heads")
stamp = provenance(snakemake)
storage.write(ATTENTION, attention_frame(attention, ids), snakemake.output.attention, stamp)
storage.write(ATTENTION_ENTROPY, attention_entropy(attention, ids), snakemake.output.entropy, stamp)
