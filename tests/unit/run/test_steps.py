"""Rules as plain data, and random streams that do not depend on each other."""

import zlib
from types import SimpleNamespace

import numpy as np
import pytest

from memloc.run.seeds import generator
from memloc.run.steps import Step, needed, steps_of


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


def test_a_step_tells_the_last_seconds_of_every_job(tmp_path):
    """The second part was tried again. The folder has a name that looks like a pattern."""
    folder = tmp_path / "run [1]/benchmarks/scores"
    folder.mkdir(parents=True)
    for part, rows in {"0": "2.5", "1": "9\n4"}.items():
        (folder / f"{part}.tsv").write_text(f"s\n{rows}\n")
    assert sorted(Step("scores", "", "", [], [], f"{folder}/{{shard}}.tsv").ran) == [2.5, 4]
    assert Step("scores", "", "", [], [], f"{folder}/2.tsv").ran == Step("x", "", "", [], [], "").ran == []


def test_every_needed_step_comes_once_behind_all_that_it_needs():
    """The last one needs both others, one of them also through the other."""
    needs = {"last": ["first", "second"], "second": ["first"], "other": ["last"], "first": ["given"]}
    steps = [Step(name, "", "", inputs, [name], "") for name, inputs in needs.items()]
    assert [step.name for step in needed(steps, ["last", "second"])] == ["first", "second", "last"]
    assert needed(steps, ["given"]) == []


def test_a_stream_is_what_docs_methods_says():
    own = np.random.default_rng([5, zlib.crc32(b"sets"), zlib.crc32(b"memorized")])
    assert own.integers(2**62) == generator(5, "sets", "memorized").integers(2**62)


def test_steps_are_the_rules_that_run_a_script():
    def rule(script, threads):
        given = {"message": "Do." + " ({resources.mem_mb} MB)" * (threads > 1), "input": ["in"]}
        given |= {"output": ["out"], "benchmark": "r/benchmarks/a.tsv"}
        given["params"] = SimpleNamespace(script="score")
        return SimpleNamespace(
            name="a", script=script, resources={"_cores": SimpleNamespace(value=threads)}, **given
        )

    found = steps_of([rule("../scripts/a.py", 3), rule(None, 1), rule("../scripts/{params.script}.py", 1)])
    assert [step.threads for step in found] == [3, 1]
    assert found[1].script == "workflow/scripts/score.py"
    assert found[0] == Step("a", "Do.", "workflow/scripts/a.py", ["in"], ["out"], "r/benchmarks/a.tsv", 3)
