"""Numbers and text of a run in captions."""

import jinja2
import pytest

from memloc.run.templates import fill, interval, percent, quoted
from memloc.statistics.uncertainty import Interval

INF = float("inf")


def test_an_interval_is_written_with_its_ends_or_with_its_units():
    assert interval(Interval(1.26, 0.51, 2, 9), 1) == "1.3 (0.5 to 2.0)"
    assert interval(Interval(1.26, -INF, INF, 4), 0) == "1 (n = 4)"
    assert interval(Interval(-0.0004, -0.0016, 0.0004, 9), 3) == "-0.0004 (-0.002 to 0.0004)"
    assert interval(Interval(0, -0.00004, 0.1, 9), 3) == "0.000 (0.000 to 0.100)"
    assert interval(Interval(44_689, 43_198, 46_180, 9), 0) == "44,689 (43,198 to 46,180)"


def test_shares_are_in_per_cent():
    assert percent(0.1234) == "12 %" and percent(0.1234, 1) == "12.3 %"
    assert percent(Interval(0.1, 0.05, 0.2, 9)) == "10 (5 to 20) %"
    assert percent(Interval(0.1, -INF, INF, 4), 1) == "10.0 (n = 4) %"


def test_templates_take_intervals_and_quote_text():
    numbers = {"found": Interval(1, 0, 2, 7), "token": "*a*"}
    text = fill("{{ found | interval(2) }}: {{ token | quoted }}\n", numbers)
    assert text == "1.00 (0.00 to 2.00): \u201c\\*a\\*\u201d\n"
    assert quoted("a b, 1.5 (c); d") == "\u201ca b, 1.5 (c); d\u201d", "nothing of it is markup"
    assert quoted("../repo/gpt-2") == "\u201c../repo/gpt-2\u201d", "a path stays readable"


def test_a_number_that_is_not_given_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="'missing' is undefined"):
        fill("{{ missing }}", {})
