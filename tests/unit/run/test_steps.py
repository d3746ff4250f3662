"""Rules as plain data, and random streams that do not depend on each other."""

import pytest

from memloc.run.seeds import generator
from memloc.run.steps import Step, needed


@pytest.mark.parametrize(
    ("benchmark", "study", "rule"),
    [
        ("results/x/benchmarks/scores.tsv", "results/x", "scores"),
        ("results/x/large/benchmarks/scores/{shard}.tsv", "results/x/large", "scores"),
        ("", "", "large_scores"),
    ],
)
def test_a_rule_is_that_of_its_study_and_its_stage(benchmark, study, rule):
    step = Step("large_scores", "", "s.py", ["a"], ["results/{shard}.parquet", "b"], benchmark)
    assert (step.study, step.rule, step.threads) == (study, rule, 1)
    assert step.makes("results/3.parquet") and step.makes("b")
    assert not step.makes("results/3.csv") and not step.makes("a")


def test_every_needed_step_comes_once_behind_all_that_it_needs():
    """The last one needs both others, one of them also through the other."""
    needs = {"last": ["first", "second"], "second": ["first"], "other": ["last"], "first": ["given"]}
    steps = [Step(name, "", "", inputs, [name], "") for name, inputs in needs.items()]
    assert [step.name for step in needed(steps, ["last", "second"])] == ["first", "second", "last"]
    assert needed(steps, ["given"]) == []


def test_streams_follow_from_the_seed_and_all_of_their_names():
    streams = [(0, "a", "bc"), (0, "ab", "c"), (0, "bc", "a"), (0, "a"), (0,), (1, "a", "bc")]
    draws = [int(generator(*stream).integers(2**62)) for stream in streams]
    assert len(set(draws)) == len(draws)
    assert draws == [int(generator(*stream).integers(2**62)) for stream in streams]
