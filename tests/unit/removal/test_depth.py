"""Hidden states patched into the original model, where the answer is known, and against a plain loop."""

import copy

import pandas as pd
import pytest
import torch

from memloc.figures.parts.removal import depths
from memloc.model.components import layers_of
from memloc.removal.depth import leaving_states, rises
from memloc.removal.scoreboard import run_way
from memloc.straightforward.decoding import mean_nll


@pytest.fixture
def never(tiny_model):
    """Another model of the same shape."""
    other = copy.deepcopy(tiny_model)
    torch.manual_seed(3)
    for weight in other.parameters():
        weight.data += 0.5 * weight.data.std() * torch.randn_like(weight)
    return other


def test_rises_are_those_of_a_plain_hook_on_one_layer_at_a_time(tiny_model, never, tiny_tokens):
    n_prefix = 5
    states = leaving_states(never, tiny_tokens, n_prefix, 3)
    found = rises(tiny_model, tiny_tokens, states, n_prefix, 2)
    before = mean_nll(tiny_model, tiny_tokens, n_prefix)
    for layer, module in enumerate(layers_of(tiny_model)):
        given = never(tiny_tokens, output_hidden_states=True).hidden_states[layer + 1]

        def patch(module, inputs, output, given=given):
            hidden = output[0] if isinstance(output, tuple) else output
            hidden = torch.cat([hidden[:, : n_prefix - 1], given[:, n_prefix - 1 :]], dim=1)
            return (hidden, *output[1:]) if isinstance(output, tuple) else hidden

        if layer + 1 == len(layers_of(tiny_model)):
            continue  # what transformers calls the last hidden states has passed the final norm
        with module.register_forward_hook(patch):
            after = mean_nll(tiny_model, tiny_tokens, n_prefix)
        torch.testing.assert_close(found[:, layer], after - before, atol=1e-4, rtol=1e-3)
    assert found.shape == (7, len(layers_of(tiny_model)))
    own = rises(tiny_model, tiny_tokens, leaving_states(tiny_model, tiny_tokens, n_prefix, 7), n_prefix, 7)
    assert own.abs().max() < 1e-5, "the original's own states change nothing"


def table(**rises_of):
    """Rises of two paragraphs in three layers, by way; `kept` are two others of the retrained model."""
    rows = []
    for way, by_layer in rises_of.items():
        group, way = ("kept", "retrained") if way == "kept" else ("removed", way)
        for id in (4, 7):
            rows += [(way, group, id, layer, rise) for layer, rise in enumerate(by_layer)]
    return pd.DataFrame(rows, columns=["way", "group", "id", "layer", "rise"])


def test_the_retrained_model_scores_1_the_original_0_and_the_control_is_the_kept_ones_share():
    ways = {"original": [0, 0, 0], "half": [9, 0.5, 1], "beyond": [0, 3, 9], "lowered": [0, -5, 1]}
    rows = table(retrained=[0.05, 1, 2], **ways, kept=[3, 0.02, 0.1])
    found, control = depths(rows)
    means = found.groupby("way")["depth"].mean().to_dict()
    expected = {"retrained": 1, "original": 0, "half": 0.5, "beyond": 1, "lowered": 1 / 3}
    assert means == pytest.approx(expected) and len(found) == 10
    assert control == pytest.approx(0.05)
    assert depths(table(retrained=[1, 1, 1], kept=[0.5, 0.2, 0.9]))[1] == pytest.approx(0.9)


def test_where_nothing_rises_there_is_no_depth():
    found, control = depths(table(retrained=[0, 0.01, 0], kept=[0, 0, 0]))
    assert found.empty and control != control


def test_states_of_the_retrained_weights_score_as_the_retrained_model(study):
    quick = study.how.model_copy(update={"n_single": 0, "relearning_limit": 0, "ngram_blocklist": [3]})
    study = study._replace(how=quick)
    rows = pd.concat([run_way(study, name).removal_depth for name in ("retrained", "ngram_blocklist")])
    found, control = depths(rows)
    means = found.groupby("way")["depth"].mean()
    assert means["retrained"] == pytest.approx(1) and abs(means["ngram_blocklist"]) < 1e-4
    assert control > 0.1, "noise moves what is kept as well"
