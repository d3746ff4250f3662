"""Rule attention: attention of the first decoded token onto the prefix, and its entropy, for every head."""

from memloc.rule import log, provenance, start

start(snakemake)

from memloc import models, tables
from memloc.attention import attention_entropy, attention_frame, prefix_attention
from memloc.paragraphs import attention_sample, used_ids

settings = snakemake.params.settings
n_prefix = settings["paragraph"]["prefix"]
sets = tables.read("sets", snakemake.input.sets)
paragraphs = tables.read("paragraphs", snakemake.input.paragraphs, ["id", "tokens"], used_ids(sets))
ids, tokens = attention_sample(paragraphs, sets, n_prefix)

bridge = models.load_bridge(snakemake.input.folder, **settings["loading"])
attention = prefix_attention(bridge, tokens, n_prefix, **settings["attention"])
log(f"{len(ids)} paragraphs x {attention.shape[1]} layers x {attention.shape[2]} heads")
stamp = provenance(snakemake)
tables.write("attention", attention_frame(attention, ids), snakemake.output.attention, stamp)
tables.write("attention_entropy", attention_entropy(attention, ids), snakemake.output.entropy, stamp)
