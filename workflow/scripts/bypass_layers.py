"""Rule bypass_layers: what paragraphs lose when attention or MLP blocks of whole layers are bypassed."""

from memloc.run.rule import log, provenance, start

start(snakemake)

from memloc.localization.ablation import ablate
from memloc.localization.layer_bypass import bypasses, mean_block_outputs
from memloc.model import loading
from memloc.scoring.held_out import judging_texts, with_own_continuations
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schemas.layer_bypass import LAYER_BYPASS
from memloc.tables.schemas.paragraphs import PARAGRAPHS
from memloc.tables.schemas.sets import SETS

settings, seed, source = sections(snakemake.params.settings), snakemake.params.seed, snakemake.input
how, n_prefix = settings.layer_bypass, settings.paragraph.prefix
paragraphs = storage.read(PARAGRAPHS, source.paragraphs, ["id", "tokens"])
sets = storage.read(SETS, source.sets)
texts = judging_texts(paragraphs, sets, seed, n_paragraphs=how.n_paragraphs, n_held_out=how.n_held_out)
log(", ".join(f"{name}: {len(group.ids)} paragraphs" for name, group in texts.items()))

model = loading.load_for_inference(source.folder, settings.loading)
batch = (n_prefix, how.micro_batch)
means = mean_block_outputs(model, texts.pop("means").tokens, how.micro_batch)
texts = with_own_continuations(model, texts, *batch)
found = ablate(model, texts, {"layer_bypass": bypasses(means)}, *batch)["layer_bypass"]
storage.write(LAYER_BYPASS, found, snakemake.output[0], provenance(snakemake))
