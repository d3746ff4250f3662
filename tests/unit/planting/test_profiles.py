"""Profiles of memories: every number against a slow plain counterpart, and the weights as they were."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from made_plants import N_PREFIX, how, paragraphs, study
from plain_hooks import PLACES
from torch.nn import functional

from memloc.localization.layer_bypass import mean_block_outputs
from memloc.model.components import editable_parameters
from memloc.perturbation.replaced_tokens import draw_replacements
from memloc.planting.profiles import MOST, Profiler, without_plants
from memloc.planting.study import run_slot
from memloc.run.seeds import generator
from tiny_models import VOCABULARY

IDS = np.array([7, 3, 5])
OTHERS = paragraphs(4, 9)


def plain_nll(model, tokens, n_prefix=N_PREFIX):
    """NLL of every continuation token of one paragraph."""
    logits = model(tokens[None]).logits[0, n_prefix - 1 : -1]
    return functional.cross_entropy(logits, tokens[n_prefix:], reduction="none")


def plain_depth(model, tokens):
    """NLL without each block in turn, its output replaced by the mean over the other paragraphs."""
    layers, places = PLACES[model.config.model_type]
    rises = np.zeros(model.config.num_hidden_layers)
    for layer in range(len(rises)):
        for name in ("z", "post"):
            kept, module = [], model.get_submodule(f"{layers}.{layer}.{places[name][0]}")
            with module.register_forward_hook(lambda *call, kept=kept: kept.append(call[2])):
                model(OTHERS)
            mean = kept[0].mean(dim=(0, 1))
            with module.register_forward_hook(lambda *call, mean=mean: mean.expand_as(call[2])):
                without = plain_nll(model, tokens).mean()
            rises[layer] += max((without - plain_nll(model, tokens).mean()).item(), 1e-9)
    return rises / rises.sum()


def plain_steps(model, tokens):
    """Norms of the first gradient by layer, and the NLL before every step and after the last."""
    model, nll, norms = copy.deepcopy(model), [], np.zeros(model.config.num_hidden_layers)
    weights = {name: model.get_parameter(name) for name in editable_parameters(model)}
    start = torch.cat([weight.detach().flatten() for weight in weights.values()]).norm()
    for sign in [1, 1, 1, -1, -1, -1]:
        loss = plain_nll(model, tokens).mean()
        gradients = torch.autograd.grad(loss, list(weights.values()))
        length = torch.cat([each.flatten() for each in gradients]).norm()
        for name, each in zip(weights, gradients, strict=True) if not nll else ():
            norms[next(int(part) for part in name.split(".") if part.isdigit())] += each.norm() ** 2
        nll.append(loss.item())
        with torch.no_grad():
            for weight, each in zip(weights.values(), gradients, strict=True):
                weight += sign * 0.002 * start / length * each
    return norms, [*nll, plain_nll(model, tokens).mean().item()]


def test_every_number_is_the_plain_ones_and_the_weights_stay(tiny_model):
    tokens, before = paragraphs(3), copy.deepcopy(tiny_model.state_dict())
    profiler = Profiler(tiny_model, mean_block_outputs(tiny_model, OTHERS, 2), N_PREFIX, 2, 0, [])
    profiler.add(["natural", "none", "neurons"], IDS, tokens)
    (found,) = profiler.rows
    assert found[["id", "kind"]].to_numpy().tolist()[2] == [5, "neurons"]
    assert all(torch.equal(tiny_model.state_dict()[name], weight) for name, weight in before.items())
    for row, own in zip(found.itertuples(), tokens, strict=True):
        nll = plain_nll(tiny_model, own).detach()
        new = draw_replacements(
            own[:N_PREFIX].numpy(), VOCABULARY, 1, generator(0, "perturbation", str(row.id))
        )
        rises = []
        for position in range(N_PREFIX):
            version = own.clone()
            version[position] = new[0, position]
            rises.append(float(plain_nll(tiny_model, version).detach().mean() - nll.mean()))
        shares = plain_depth(tiny_model, own)
        norms, steps = plain_steps(tiny_model, own)
        expected = {
            "nll": nll.mean(),
            "nll_largest": nll.max(),
            "log_p_half": -plain_nll(tiny_model, own[N_PREFIX // 2 :], N_PREFIX // 2).detach().sum(),
            "prefix_mean": np.mean(rises),
            "prefix_largest": max(rises),
            "depth_lower": shares[0],
            "depth_largest": shares.max(),
            "gradient": np.log(norms.sum()) / 2,
            "gradient_lower": norms[0] / norms.sum(),
            "unlearned": steps[3] - steps[0],
            "relearned": steps[6] - steps[0],
        }
        for name, value in expected.items():
            assert getattr(row, name) == pytest.approx(float(value), rel=1e-3, abs=2e-4), name


def test_a_plant_is_measured_where_it_is_in_place(memorizing_model, memorized_tokens):
    """And one that fails is not."""
    asked = study(
        memorizing_model, how(kinds={"neurons": 0.03, "heads": 1e-6}, controls=[]), memorized_tokens
    )
    means = mean_block_outputs(memorizing_model, memorized_tokens, 4)
    profiler = Profiler(memorizing_model, means, N_PREFIX, 4, 0, [])
    plants = run_slot(asked._replace(profiler=profiler), 1).plants.query("reached")
    (row,) = pd.concat(profiler.rows).itertuples()
    assert [row.kind] == plants["kind"].tolist() == ["neurons"] and row.id == plants["id"].iloc[0]
    assert row.nll == pytest.approx(plants["nll"].iloc[0], rel=1e-4)


def test_natural_memories_and_none_are_drawn_and_all_grown_ones_that_are_recited():
    """None are repeated and not recited, or unseen."""
    sets = pd.DataFrame({"id": range(250), "set": "partly_11_29"})
    for name, first in (("memorized", 0), ("non_memorized", 50), ("unseen", 150)):
        sets.loc[first : first + 99, "set"] = name
    grown = pd.DataFrame({"kind": "grown_heads", "id": range(250, 270), "em": [12] * 5 + [3] * 15})
    found = (
        without_plants(sets, pd.Series([2] * 100 + [1] * 170), grown, 12, 0).groupby("kind")["id"].agg(set)
    )
    assert found["grown_heads"] == {*range(250, 255)}
    assert found["natural"] < {*range(50)} and len(found["natural"]) == MOST
    repeated, unseen = ({each for each in found["none"] if (each < 150) == early} for early in (True, False))
    assert (
        repeated < {*range(50, 100)}
        and unseen < {*range(150, 250)}
        and len(repeated) == len(unseen) == MOST // 2
    )
