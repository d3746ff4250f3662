"""Claims on near-copies, on made-up paragraphs with known answers."""

import numpy as np
from made_claims import judged
from made_tables import frame_of

from memloc.tables.columns import Lengths


def table(counts, n=200):
    """Paragraphs with near-copies, which count as so many exact ones for whether they are recited."""
    rng = np.random.default_rng(0)
    own, near = rng.integers(1, 4, n), rng.integers(4, size=n)
    amount = own + counts * near + rng.normal(scale=0.3, size=n)
    copies = frame_of("near_copies", id=range(n), within_0=own, within_10=own + near)
    scores = frame_of("scores", Lengths(100, 50), id=range(n), em=np.where(amount > np.median(amount), 50, 0))
    return {"near_copies": copies, "scores": scores}


def test_near_copies_that_count_nothing_decide_nothing():
    assert judged("near_copies", table(0.0))["verdict"]["near_copies_count"] == "too few"


def test_without_near_copies_or_text_nothing_is_judged():
    """Of paragraphs that the text does not hold, near-copies do not count."""
    none, unseen, equal = table(0.5), table(0.5), table(0.5)
    equal["near_copies"]["within_10"] = equal["near_copies"]["within_0"] + 1
    unseen["near_copies"]["within_0"] = 0
    none["near_copies"]["within_10"] = none["near_copies"]["within_0"]
    for tables in (none, unseen, equal, {"scores": none["scores"]}):
        assert set(judged("near_copies", tables)["verdict"]) == {"not applicable"}
