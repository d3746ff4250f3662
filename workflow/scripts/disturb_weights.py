"""Rule disturb_weights: disturb the weights with the largest contrastive gradients, and random ones."""

from memloc.run.rule import log, provenance, start

start(snakemake)

from memloc.data.paragraphs import sampled_tokens
from memloc.localization.gradients import nll_gradients
from memloc.localization.weight_noise import choosing_texts, disturb_weights
from memloc.model import loading
from memloc.scoring.held_out import judging_texts, with_own_continuations
from memloc.tables import storage
from memloc.tables.schemas.paragraphs import PARAGRAPHS
from memloc.tables.schemas.sets import SETS
from memloc.tables.schemas.weight_noise import WEIGHT_NOISE

settings, source, seed = snakemake.params.settings, snakemake.input, snakemake.params.seed
options, n_prefix = dict(settings["weight_noise"]), settings["paragraph"]["prefix"]
paragraphs = storage.read(PARAGRAPHS, source.paragraphs, ["id", "tokens"])
sets = storage.read(SETS, source.sets)
counts = {name: options.pop(name) for name in ("n_paragraphs", "n_held_out")}
texts = judging_texts(paragraphs, sets, seed, **counts)
del texts["means"]
choosing = choosing_texts(
    *sampled_tokens(paragraphs, sets, "memorized", n_prefix), counts["n_paragraphs"], seed
)

model = loading.load_model(source.folder, **settings["loading"])
texts = with_own_continuations(model, texts, n_prefix, options["micro_batch"]) | {"choosing": choosing}
# At the original weights the gradient of the contrastive objective is that of its NLL term, but for the sign.
gradients = nll_gradients(model, choosing.tokens, n_prefix, options["micro_batch"])
frame = disturb_weights(model, texts, gradients, n_prefix=n_prefix, seed=seed, **options)
log(frame.groupby(["group", "arm", "kind", "size"], dropna=False)["em"].mean().to_string())
storage.write(WEIGHT_NOISE, frame, snakemake.output[0], provenance(snakemake))
