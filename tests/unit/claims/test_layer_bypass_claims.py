"""Claims on bypassed blocks, on small tables whose verdicts are known."""

import numpy as np
import pandas as pd
import pytest

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import topics
from memloc.localization.layer_bypass import BYPASSES
from memloc.settings.sections import sections

SETTINGS = sections({"paragraph": {"prefix": 50, "length": 100}})
LAYERS = range(4)


def tables(lost, n=20, n_seen=0):
    """`lost` gives the tokens that (group, block, layer) costs."""
    rng, rows = np.random.default_rng(0), []
    for block, ways in BYPASSES.items():
        for way in ways:
            for layer in LAYERS:
                for group in ("memorized", "non_memorized", "held_out"):
                    for number in range(n + n_seen):
                        seen = number >= n
                        tokens = 50 if seen else lost(group, block, layer) + rng.integers(-1, 2)
                        labels = {"block": block, "way": way, "layers": "alone", "layer": layer}
                        rows.append({**labels, "group": group, "id": number, "seen": seen, "em_lost": tokens})
    return {"layer_bypass": pd.DataFrame(rows)}


def judged(given):
    return evaluate(
        topics()["layer_bypass"], given, SETTINGS, {"model": "any", "data": "embedded"}
    ).set_index("id")


def verdicts(*given, **options):
    return judged(tables(*given, **options))["verdict"].to_dict()


def menta(group, block, layer):
    """Attention of layer 3 is there for memorized paragraphs alone; all else costs five tokens."""
    if (block, layer) == ("attention", 3):
        return 40 if group == "memorized" else 1
    return 5


def stoehr(group, block, layer):
    return 45 if layer < 2 and group == "memorized" else 5


def test_a_deeper_layer_that_recites_and_does_nothing_else():
    found = judged(tables(menta))
    assert found.loc["deeper_attention_removes", "verdict"] == "holds"
    assert found.loc["deeper_attention_removes", "value"] == pytest.approx(40, abs=1)
    assert found.loc["deeper_attention_removes", "n"] == 10  # half of the paragraphs chose the layer
    assert found.loc["deeper_attention_spares_others", "verdict"] == "holds"
    assert found.loc["lower_layers_hold_more", "verdict"] == "does not hold"


def test_memorization_in_the_lower_half():
    found = verdicts(stoehr)
    assert found["lower_layers_hold_more"] == "holds" and found["every_layer_counts"] == "holds"
    assert found["deeper_attention_removes"] == "does not hold"


def test_each_claim_is_judged_by_its_way_of_bypass():
    """Zeroing costs all tokens, identity 40 in the deepest layer, means 12 in the lower half; the rest: 5."""
    given = tables(menta)
    rows = given["layer_bypass"]
    known = rows["group"] == "memorized"
    rows["em_lost"] = np.select(
        [
            rows["way"] == "zero",
            known & (rows["way"] == "identity") & (rows["layer"] == 3),
            known & (rows["way"] == "mean") & (rows["layer"] < 2),
        ],
        [50, 40, 12],
        5,
    )
    found = judged(given)["value"]
    assert found[["deeper_attention_removes", "deeper_attention_spares_others"]].tolist() == [40, -5]
    assert found["lower_layers_hold_more"] == 7
    assert found["every_layer_counts"] == (12 + 5) / 2


def test_a_layer_that_all_text_needs_spares_nothing():
    found = verdicts(lambda group, block, layer: 40)
    assert found["deeper_attention_removes"] == "holds"
    assert found["deeper_attention_spares_others"] == "does not hold"
    assert found["lower_layers_hold_more"] == "undecided"


def test_others_that_lose_all_without_any_block_are_no_comparison():
    found = judged(tables(lambda group, block, layer: 45 if group == "non_memorized" or layer < 2 else 5))
    own = found.loc["lower_layers_hold_more"]
    assert own["low"] > 0 and own["verdict"] == "undecided" and "keep too few tokens" in own["reason"]


def test_one_block_that_is_not_needed_is_enough_against_distributed():
    found = verdicts(lambda group, block, layer: 0 if (block, layer) == ("mlp", 2) else 20)
    assert found["every_layer_counts"] == "undecided"
    assert verdicts(lambda group, block, layer: 0)["every_layer_counts"] == "does not hold"


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_paragraphs_decide_nothing(n):
    found = verdicts(menta, n=n)
    deeper = [found.pop("deeper_attention_removes"), found.pop("deeper_attention_spares_others")]
    assert set(deeper) == {"undecided" if n > 1 else "not applicable"}  # of one, none is left to judge
    assert set(found.values()) == {"undecided"}


def test_seen_paragraphs_decide_nothing():
    found = judged(tables(menta, n=20, n_seen=20))
    assert found["n"].max() == 20 and found.loc["deeper_attention_removes", "value"] < 45
    assert set(judged(tables(menta, n=0, n_seen=8))["verdict"]) == {"not applicable"}


def test_groups_of_different_sizes_choose_a_layer_by_their_means():
    """Layer 3 stands out by its means; of more other paragraphs than memorized ones, layer 2 by its sums."""

    def lost(group, block, layer):
        if block != "attention" or layer < 2:
            return 5
        return {3: {"memorized": 40, "non_memorized": 10}, 2: {"memorized": 25, "non_memorized": 2}}[
            layer
        ].get(group, 5)

    given = tables(lost, n=40)
    rows = given["layer_bypass"]
    given["layer_bypass"] = rows[(rows["group"] != "memorized") | (rows["id"] < 16)]
    found = judged(given).loc["deeper_attention_removes"]
    assert found["value"] == pytest.approx(40, abs=1) and found["n"] == 8


def of_layers(n_layers, lost, n=20):
    """`tables` of another number of layers, without noise."""
    given, rows = tables(lambda *_: 0)["layer_bypass"], []
    for layer in range(n_layers):
        own = given[given["layer"] == 0].assign(layer=layer)
        own["em_lost"] = [lost(row.group, row.block, layer) for row in own.itertuples()]
        rows.append(own)
    return {"layer_bypass": pd.concat(rows, ignore_index=True)}


def test_the_middle_one_of_five_layers_is_in_neither_half():
    """It costs memorized paragraphs all; lower and upper layers differ by 12 tokens."""
    cost = {0: 20, 1: 20, 2: 50, 3: 8, 4: 8}
    found = judged(of_layers(5, lambda group, _, layer: cost[layer] if group == "memorized" else 1))
    assert found.loc["lower_layers_hold_more", "value"] == pytest.approx(12)


def test_the_middle_one_of_five_layers_is_no_deeper_one():
    cost = {0: 50, 1: 50, 2: 45, 3: 9, 4: 8}
    found = judged(of_layers(5, lambda group, _, layer: cost[layer] if group == "memorized" else 1))
    assert found.loc["deeper_attention_removes", "value"] == pytest.approx(9)
    assert found.loc["deeper_attention_spares_others", "value"] == pytest.approx(-1)


@pytest.mark.parametrize("n_layers", [1, 2])
def test_one_layer_has_no_halves_and_two_have_one_each(n_layers):
    found = judged(of_layers(n_layers, lambda group, _, layer: (group == "memorized") * (30 - 20 * layer)))
    halves = found.loc[["lower_layers_hold_more", "deeper_attention_removes"]]
    if n_layers == 1:
        assert set(halves["verdict"]) == {"not applicable"}
    else:
        assert halves["value"].tolist() == pytest.approx([20, 10])
