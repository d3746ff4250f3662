"""Claims on detection, on small tables whose verdicts are known."""

import pandas as pd
import pytest

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import topics
from memloc.settings.sections import sections

SETTINGS = sections({"paragraph": {"prefix": 50, "length": 100}})
ABOUT = {"model": "any", "data": "embedded"}
SHOWS, ADDS, WORDS = (
    "recitation_shows_in_the_prefix",
    "activations_add_near_the_boundary",
    "model_tells_more_than_words",
)


def judged(auroc, gain, words, n_clusters=50, width=0.05):
    """Verdicts for an AUROC among all, and gains of activations and of words in the boundary zone.

    The AUROC of words, and that of the boundary zone, is another one, as are gains among all.
    """
    rows = []
    for n_seen, shift in ((5, 0.3), (50, 0.0)):  # shorter prefixes decide nothing
        for stratum in ("all", "boundary"):
            for features, own in (("nll_and_activations", gain), ("bag_of_words", words)):
                apart = 0.3 * (stratum == "all"), 0.3 * (stratum != "all" or features == "bag_of_words")
                ends = {"auroc": auroc - shift - apart[1], "gain": own - shift - apart[0]}
                values = {
                    f"{name}{end}": value + sign * width if sign else value
                    for name, value in ends.items()
                    for end, sign in (("", 0), ("_low", -1), ("_high", 1))
                }
                rows.append({"features": features, "stratum": stratum, "n_seen": n_seen, **values})
    table = pd.DataFrame(rows).assign(n_clusters=n_clusters)
    return evaluate(topics()["detection"], {"detection": table}, SETTINGS, ABOUT).set_index("id")


@pytest.mark.parametrize(
    ("given", "verdict"),
    [((0.95, 0.1, -0.2), "holds"), ((0.6, -0.1, 0.2), "does not hold"), ((0.76, 0.01, -0.01), "undecided")],
)
def test_verdicts_follow_the_intervals_at_the_whole_prefix(given, verdict):
    found = judged(*given)
    assert found["verdict"].to_dict() == dict.fromkeys((SHOWS, ADDS, WORDS), verdict)
    assert found["value"].to_dict() == pytest.approx({SHOWS: given[0], ADDS: given[1], WORDS: -given[2]})
    assert found.loc[WORDS, "low"] == pytest.approx(-given[2] - 0.05)


@pytest.mark.parametrize("n", [1, 2])
def test_few_groups_decide_nothing(n):
    assert set(judged(0.95, 0.1, -0.2, n_clusters=n)["verdict"]) == {"undecided"}


def test_no_gain_at_all_is_none():
    found = judged(0.75, 0.0, 0.0, width=0.0)
    assert set(found["verdict"]) == {"does not hold"}


def test_missing_intervals_decide_nothing():
    assert set(judged(0.95, 0.1, -0.2, width=float("nan"))["verdict"]) == {"undecided"}


def test_without_a_stratum_claims_do_not_apply():
    columns = topics()["detection"].tables["detection"]
    empty = pd.DataFrame(columns=list(columns)).astype({"n_seen": int})
    found = evaluate(topics()["detection"], {"detection": empty}, SETTINGS, ABOUT)
    assert set(found["verdict"]) == {"not applicable"}
