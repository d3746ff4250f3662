"""No pass of any analysis holds more paragraphs, or patches, than a micro-batch, on which memory depends."""

import numpy as np
import pytest
import torch

from memloc.data.draws import Parts, draw, draw_controls
from memloc.editing.gradients import nll_gradients
from memloc.localization.ablation import ablated_scores, mean_outputs
from memloc.localization.activation_gradients import activation_gradients, impact_gradients
from memloc.localization.attention import prefix_attention
from memloc.localization.contrastive import Texts, contrastive_attribution
from memloc.localization.layer_bypass import mean_block_outputs
from memloc.localization.patching import activation_patching
from memloc.model.loading import bridged
from memloc.model.subject import Subject
from memloc.perturbation.pairs import Pairs
from memloc.settings.localization import Contrastive

N_PREFIX, SIZE, IDS = 6, 2, np.arange(7)
AT = torch.full((7,), 3), torch.full((7,), 9)  # perturbed and impact positions


def subject(model):
    return Subject(model, N_PREFIX, SIZE)


def pairs(tokens):
    perturbed = tokens.clone()
    perturbed[:, 3] = (tokens[:, 3] + 17) % 64
    perturbed[:, 9:] = (tokens[:, 9:] + 29) % 64
    return Pairs(IDS, tokens, perturbed, *AT)


def attribute(model, tokens):
    mean, how = nll_gradients(subject(model), tokens[:3]), Contrastive()
    parts = Parts([np.arange(3)], draw([3], [[0]], np.random.default_rng(0), 1))
    drawn = draw_controls(3, len(tokens) - 3, 3, np.random.default_rng(0))
    contrastive_attribution(subject(model), Texts(tokens[:3], tokens[3:], drawn), mean, parts, how)


ANALYSES = {
    "attention": lambda m, t: prefix_attention(bridged(subject(m)), t),
    "activations": lambda m, t: activation_gradients(bridged(subject(m)), t, IDS, "memorized", False),
    "impact": lambda m, t: impact_gradients(bridged(subject(m)), pairs(t), "memorized"),
    "mean heads": lambda m, t: mean_outputs(subject(m), t),
    "mean blocks": lambda m, t: mean_block_outputs(subject(m), t),
    "ablation": lambda m, t: ablated_scores(subject(m), t, []),
    "contrastive": attribute,
}


@pytest.mark.parametrize("analysis", ANALYSES)
def test_passes_hold_a_micro_batch_of_paragraphs(tiny_gpt2, tiny_tokens, analysis):
    sizes = []
    embeddings = tiny_gpt2.get_input_embeddings()
    embeddings.register_forward_hook(lambda module, inputs, output: sizes.append(len(output)))
    ANALYSES[analysis](tiny_gpt2, tiny_tokens)
    assert max(sizes) == SIZE


def test_passes_hold_a_micro_batch_of_patches(tiny_gpt2, tiny_tokens):
    sizes = []
    tiny_gpt2.lm_head.register_forward_hook(lambda module, inputs, output: sizes.append(len(output)))
    activation_patching(subject(tiny_gpt2), Pairs(*(column[:1] for column in pairs(tiny_tokens))))
    assert max(sizes) == SIZE
