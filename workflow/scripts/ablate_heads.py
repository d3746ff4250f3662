"""Rule ablate_heads: what paragraphs lose without each head, and without the first ones of each ranking."""

from memloc.rule import log, provenance, start

start(snakemake)

import torch

from memloc import ablation, models, tables
from memloc.edit_cases import text_groups
from memloc.seeds import generator

settings, seed, source = snakemake.params.settings, snakemake.params.seed, snakemake.input
options, n_prefix = settings["head_ablation"], settings["paragraph"]["prefix"]
paragraphs = tables.read("paragraphs", source.paragraphs, ["id", "tokens"])
sets = tables.read("sets", source.sets)
counts = {name: options[name] for name in ("n_paragraphs", "n_held_out")}
texts = text_groups(paragraphs, sets, n_prefix, seed, **counts)
log(", ".join(f"{name}: {len(ids)} paragraphs" for name, (ids, _) in texts.items()))

model = models.load_for_inference(source.folder, **settings["loading"])
batch = (n_prefix, options["micro_batch"])
means = ablation.mean_outputs(model, texts["held_out"][1], options["micro_batch"])
outputs = {"zero": torch.zeros_like(means), "mean": means}
chosen = {name: outputs[name] for name in options["replacements"]}
single = ablation.ablate_heads(model, texts, chosen, *batch)
effects = ablation.specific_effects(single, generator(seed, "head_effects"), options["n_resamples"])
log("every head is ablated by itself")

random = generator(seed, "cumulative_ablation")
orders = ablation.orders(tables.read("head_ranking", source.ranking), options["n_random"], random)
tokens = {name: rows for name, (_, rows) in texts.items()}
cumulative = ablation.ablate_cumulatively(model, tokens, orders, means, options["top"], *batch)
stamp = provenance(snakemake)
tables.write("head_ablation", single, snakemake.output.ablation, stamp)
tables.write("head_effects", effects, snakemake.output.effects, stamp)
tables.write("cumulative_ablation", cumulative, snakemake.output.cumulative, stamp)
