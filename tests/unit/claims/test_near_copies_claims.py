"""Claims on near-copies, on made-up paragraphs with known answers."""

import numpy as np
import pytest
from made_claims import judged
from made_tables import frame_of

from memloc.tables.columns import Lengths

COUNT, EXACT = "near_copies_count", "exact_copies_count_more"


def table(counts, exact=1, n=200):
    """Paragraphs with near-copies; they are recited if `counts` (near-copies) say so, or exact ones do."""
    rng = np.random.default_rng(0)
    own, near = rng.integers(1, 4, n), rng.integers(4, size=n)
    amount = exact * own + counts * near + rng.normal(scale=0.3, size=n)
    copies = frame_of("near_copies", within_0=own, within_10=own + near)
    scores = frame_of("scores", Lengths(100, 50), em=np.where(amount > np.median(amount), 50, 0))
    return {"near_copies": copies, "scores": scores}


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (0.6, ["holds", "holds"]),
        (1.0, ["holds", "too few"]),
        (-0.5, ["does not hold", "holds"]),
        (3.0, ["holds", "does not hold"]),
    ],
)
def test_near_copies_count_less_than_exact_ones_only_where_they_do(counts, expected):
    found = judged("near_copies", table(counts))["verdict"]
    assert [found[COUNT], found[EXACT]] == expected


def test_without_near_copies_or_text_nothing_is_judged():
    none = table(0.5)
    none["near_copies"]["within_10"] = none["near_copies"]["within_0"]
    for tables in (none, {"scores": none["scores"]}):
        assert set(judged("near_copies", tables)["verdict"]) == {"not applicable"}
