"""Which claims a study's samples can decide, before it runs."""

import pytest
from made_configs import VALID
from test_registry import CLAIMS, claim

from memloc.claims.before_a_run import needed, out_of_reach
from memloc.claims.verdicts import judge
from memloc.settings.study import Settings
from memloc.statistics.exact import median, share
from memloc.tables.terms.claims import FAILS, HOLDS, PER_CENT, TOO_FEW

UNEVEN = claim(id="uneven", scale=PER_CENT, bound=0.3, matters=0.1)  # failing takes more units than holding
SAMPLED = [own for _, own in CLAIMS if own.sample]


@pytest.mark.parametrize("own", [*SAMPLED, UNEVEN], ids=lambda claim: claim.id)
def test_as_many_units_as_are_needed_decide_either_side_and_one_less_does_not(own):
    """At the level of one claim, all units on one side."""
    n = needed(own, 1)
    if own.scale == PER_CENT:
        of = lambda yes, n: share(n if yes else 0, n)  # noqa: E731
    else:
        of = lambda yes, n: median([1e6 if yes else -1e6] * n)  # noqa: E731
    assert [judge(own, of(yes, n)).verdict for yes in (True, False)] == [HOLDS, FAILS]
    assert TOO_FEW in [judge(own, of(yes, n - 1)).verdict for yes in (True, False)]


def test_a_family_needs_more():
    assert (needed(claim(), 1), needed(claim(), 10)) == (6, 9)


def test_samples_that_are_too_small_are_named_with_their_settings():
    """Of pairs, half are counted on, and of paragraphs four fifths."""
    few = Settings.model_validate(VALID | {"sets": {"n_pairs": 11}, "editing": {"n_paragraphs": 13}})
    found = out_of_reach(few)
    said = "needs 6 unlike pairs: sets.n_pairs is 11, which may give 5"
    assert [said in line for line in found] == [True] * 2
    fewer = Settings.model_validate(VALID | {"editing": {"n_paragraphs": 12}})
    ends = ("needs 10 unlike paragraphs: editing.n_paragraphs is 12, which may give 9",)
    assert [line.endswith(ends) for line in out_of_reach(fewer)] == [True] * 2
    many = {"sets": {"n_pairs": 12}, "editing": {"n_paragraphs": 13}}
    assert out_of_reach(Settings.model_validate(VALID | many)) == []
