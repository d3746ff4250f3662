"""`make bench` on a tiny model: both sides of every stage find the same, and the page has its rows."""

import re
from pathlib import Path

import numpy as np
import pytest

import bench

PAGE = Path(__file__).parents[2] / "docs/benchmarks.md"
TINY = bench.Size(**dict.fromkeys(bench.Size._fields, 3) | {"width": 96, "vocabulary": 512, "length": 24})


def stages_of(text):
    return re.findall(r"(?m)^\| `(\w+)` \| [a-z ]+ \| [\d.e-]+ \| [\d.e-]+ \| [\d.]+ \|$", text)


def test_every_stage_finds_the_same_and_is_on_the_page(capsys):
    bench.main(TINY._replace(repeats=1))
    assert stages_of(capsys.readouterr().out) == list(bench.STAGES) == stages_of(PAGE.read_text())


@pytest.mark.parametrize("name", ["em", "nll"])
def test_sides_that_find_something_else_are_an_error(name):
    plain = {"em": np.array([3, 4]), "nll": np.array([1.0, 2.0])}
    found = {"em": np.array([3, 4, 9]), "nll": np.array([1.0, 2.001, 7.0]), "ours alone": np.array([1])}
    bench.check(bench.Stage("", 3, lambda: found, 2, lambda: plain, slice(2)))
    found = found | {name: found[name] + 1}
    with pytest.raises(AssertionError, match=name):
        bench.check(bench.Stage("", 3, lambda: found, 2, lambda: plain, slice(2)))
