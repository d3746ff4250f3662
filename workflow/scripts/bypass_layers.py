"""Rule bypass_layers: what paragraphs lose when attention or MLP blocks of whole layers are bypassed."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.localization.ablation import ablate
from memloc.localization.layer_bypass import bypasses, mean_block_outputs
from memloc.model import loading
from memloc.scoring.held_out import judging_texts, with_own_continuations

settings, seed = job.settings, job.seed
how, n_prefix = settings.layer_bypass, settings.paragraph.prefix
paragraphs = job.read("paragraphs", ["id", "tokens"])
sets = job.read("sets")
texts = judging_texts(paragraphs, sets, seed, n_paragraphs=how.n_paragraphs, n_held_out=how.n_judging)
job.log(", ".join(f"{name}: {len(group.ids)} paragraphs" for name, group in texts.items()))

model = loading.load_for_inference(job.input.folder, settings.loading)
batch = (n_prefix, how.micro_batch)
means = mean_block_outputs(model, texts.pop("means").tokens, how.micro_batch)
texts = with_own_continuations(model, texts, *batch)
found = ablate(model, texts, {"layer_bypass": bypasses(means)}, *batch)["layer_bypass"]
job.write(layer_bypass=found)
