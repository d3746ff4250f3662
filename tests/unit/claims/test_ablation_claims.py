"""Claims on ablated heads, on tables with known verdicts."""

import pandas as pd
import pytest
from made_claims import cells, settings_of

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import topics

GROUPS = ("memorized", "non_memorized")
HEADS = [(layer, head) for layer in range(2) for head in range(3)]


def pairs(n):
    """Table sets of n pairs, in which others are partly memorized, or not."""
    sets = {"set": ["memorized"] * n + ["partly_11_29", "non_memorized"] * n}
    frame = pd.DataFrame({"set": sets["set"][: 2 * n], "pair": [*range(n), *range(n)]})
    return frame.assign(id=[*range(n), *range(1000, 1000 + n)]).astype({"pair": "Int64"})


def ablated(effects, n=20, noise=0.1):
    """NLL gained by (group, layer, head) of paired paragraphs, and noise; 100 of those in no pair."""
    axes = {"group": GROUPS, "layer": range(2), "head": range(3)}
    paired = cells(axes, n, effects, noise)
    paired["id"] += 1000 * (paired["group"] == GROUPS[1])
    unpaired = cells(axes, 9, {}, 0.0).assign(value=100.0)
    rows = pd.concat([paired.assign(group="paired"), unpaired]).rename(columns={"value": "nll_gained"})
    order = pd.DataFrame(HEADS, columns=["layer", "head"]).assign(method="combined", rank=[3, 2, 1, 4, 5, 6])
    # Highlighted: head 2 of layer 0.
    return {"head_ablation": rows, "head_ranking": order, "sets": pairs(n)}


OWN, OTHERS = ("memorized", 0, 2), ("non_memorized", 0, 2)


@pytest.mark.parametrize(
    ("effects", "expected"),
    [
        ({OWN: 2}, ("holds", 1)),
        ({OWN: 2, OTHERS: 4}, ("does not hold", 0)),  # all text needs it, and others by comparison
        ({("memorized", *head): 2 for head in HEADS if head != (0, 2)}, ("does not hold", 0)),
    ],
)
def test_the_head_that_memorized_paragraphs_need(effects, expected):
    (row,) = evaluate(topics()["head_ablation"], [ablated(effects)] * 5, settings_of("head_ablation"))
    assert (row["verdict"], row["value"]) == expected


def test_without_pairs_no_head_is_compared():
    (row,) = evaluate(topics()["head_ablation"], [ablated({}, n=0)] * 5, settings_of("head_ablation"))
    assert (row["verdict"], row["reason"]) == ("not applicable", "no pairs of equal count")
