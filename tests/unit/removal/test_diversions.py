"""Ways that act while a model decodes, against slow plain versions on a tiny model."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch
from jaxtyping import Float, Int
from made_requests import HEADS, N_PREFIX, other_text, request, subject
from plain_hooks import PLACES, columns
from plain_runs import activation, logits_without
from torch import Tensor
from transformers import NoBadWordsLogitsProcessor, PreTrainedModel

from memloc.localization.ablation import Head
from memloc.model.weights import EditError, Original
from memloc.removal.registry import WAYS, Way, in_force
from memloc.removal.ways.diversions import NgramBlocklist
from tiny_models import VOCABULARY


@pytest.mark.parametrize(("n", "n_prefix"), [(1, N_PREFIX), (2, N_PREFIX), (4, N_PREFIX), (4, 2)])
def test_the_blocklist_is_that_of_transformers(n, n_prefix):
    tokens = other_text(5, seed=9) % 4  # n-grams come again and again
    own = NgramBlocklist(tokens, n_prefix, n)
    listed = {
        tuple(row[place - n + 1 : place + 1])
        for row in tokens.tolist()
        for place in range(max(n_prefix, n - 1), 24)
    }
    plain = NoBadWordsLogitsProcessor([list(ngram) for ngram in sorted(listed)], eos_token_id=VOCABULARY + 1)
    random = torch.Generator().manual_seed(0)
    scores, contexts = torch.randn(7, VOCABULARY, generator=random), other_text(7, seed=10) % 4
    torch.testing.assert_close(own(contexts, scores), plain(contexts, scores.clone()))
    assert scores.isfinite().all()


def logits_under(name, asked, setting, tokens):
    prepared = WAYS[name].prepare(asked)
    with in_force(asked.subject, WAYS[name], prepared, setting), torch.no_grad():
        return asked.subject.model(tokens).logits


def mean_z(model: PreTrainedModel, texts: Int[Tensor, "text token"]) -> dict[Head, Float[Tensor, "column"]]:
    """Mean of what W_O gets of each head, over all texts and positions one by one."""
    means = {}
    for layer, head in HEADS:
        with torch.no_grad():
            every = [z for row in texts for z in activation(model, row[None], layer, "z")[0][0]]
        means[layer, head] = torch.stack(every).mean(dim=0)[columns(model, "z", head)]
    return means


DRAWN = [HEADS[place] for place in np.random.default_rng(0).permutation(len(HEADS))]


@pytest.mark.parametrize(("way", "heads"), [("heads", HEADS), ("random_heads", DRAWN)])
def test_heads_write_their_mean_over_ordinary_text(tiny_model, way, heads):
    """Random ones are drawn by the request's random numbers."""
    asked, tokens = request(tiny_model, other_text(2, seed=8)), other_text(3, seed=11)
    slow = logits_without(tiny_model, heads[:3], mean_z(tiny_model, asked.general), tokens)
    torch.testing.assert_close(logits_under(way, asked, (3.0,), tokens), slow, atol=1e-5, rtol=1e-5)
    assert {*DRAWN[:3]} != {*HEADS[:3]}


def test_steering_subtracts_the_difference_of_mean_hidden_states(tiny_model):
    remove, tokens = other_text(2, seed=8), other_text(3, seed=11)
    asked = request(tiny_model, remove)

    def mean(texts):
        with torch.no_grad():
            states = tiny_model(texts, output_hidden_states=True).hidden_states[1]  # what enters layer 1
        return torch.stack([row[place] for row in states for place in range(N_PREFIX - 1, 23)]).mean(dim=0)

    direction = mean(remove) - mean(asked.keep)

    def shift(module, inputs, output):
        states = output[0] if isinstance(output, tuple) else output
        moved = states - 3.0 * direction
        return (moved, *output[1:]) if isinstance(output, tuple) else moved

    layers = tiny_model.get_submodule(PLACES[tiny_model.config.model_type][0])
    handle = layers[0].register_forward_hook(shift)
    with torch.no_grad():
        slow = tiny_model(tokens).logits
    handle.remove()
    found = logits_under("steering", asked, (0.75, 3.0), tokens)
    torch.testing.assert_close(found, slow, atol=1e-4, rtol=1e-4)


def test_a_diversion_that_changes_a_weight_is_an_error_and_leaves_the_model(tiny_gpt_neo):
    @contextmanager
    def meddle(setting):
        with torch.no_grad():
            tiny_gpt_neo.get_input_embeddings().weight[3] += 1
        yield

    way = Way(lambda request: meddle, ("x",), "svd", diverts=True)
    own = subject(tiny_gpt_neo)
    original = Original(own)
    with (
        pytest.raises(EditError, match="wte.weight: 16 weights changed outside of the mask"),
        in_force(own, way, meddle, (1.0,)),
    ):
        pass
    assert original.n_changed({}) == 0
