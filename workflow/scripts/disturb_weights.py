"""Rule disturb_weights: disturb the weights with the largest contrastive gradients, and random ones."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.data.paragraphs import sampled_tokens
from memloc.editing.gradients import nll_gradients
from memloc.localization.weight_noise import choosing_texts, disturb_weights
from memloc.model import loading
from memloc.scoring.held_out import judging_texts, with_own_continuations

settings, seed = job.settings, job.seed
how, n_prefix = settings.weight_noise, settings.paragraph.prefix
paragraphs = job.read("paragraphs", ["id", "tokens"])
sets = job.read("sets")
texts = judging_texts(paragraphs, sets, seed, n_paragraphs=how.n_paragraphs, n_held_out=how.n_judging)
del texts["means"]
choosing = choosing_texts(*sampled_tokens(paragraphs, sets, "memorized", n_prefix), how.n_paragraphs, seed)

subject = loading.load(job.input.folder, settings, how.micro_batch)
texts = with_own_continuations(subject, texts)
# At the original weights, the contrastive objective has the gradient of its NLL term with the other sign.
frame = disturb_weights(subject, texts, nll_gradients(subject, choosing.tokens), how, seed)
job.write(weight_noise=frame)
