"""The rules of a run as plain data: the script, the inputs and the outputs of each."""

from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import pandas as pd


class Step(NamedTuple):
    """A rule. If it runs as several jobs, its paths hold `{shard}`."""

    name: str
    message: str
    script: str  # its place in the repository
    inputs: list[str]
    outputs: list[str]
    benchmark: str
    threads: int = 1

    @property
    def study(self) -> str:
        """Folder of results of the rule's study; each of several models has its own."""
        return self.benchmark.partition("/benchmarks/")[0]

    @property
    def rule(self) -> str:
        """Name of the rule without a model's or an importing workflow's name; for shards, the stage."""
        own = self.benchmark.partition("/benchmarks/")[2]
        return PurePosixPath(own).parts[0].removesuffix(".tsv") if own else self.name

    @property
    def ran(self) -> list[float]:
        """Seconds of the last run of each of its jobs; empty if the rule never ran."""
        path = Path(self.benchmark)
        files = path.parent.glob(path.name.replace("{shard}", "*")) if path.name else ()
        return [float(pd.read_csv(file, sep="\t")["s"].iloc[-1]) for file in files]

    def makes(self, path: str) -> bool:
        """Whether a job of the rule writes the file."""
        return any(fnmatch(path, output.replace("{shard}", "*")) for output in self.outputs)


def steps_of(rules: Iterable[Any]) -> list[Step]:
    """Steps for the rules of Snakemake that run a script."""
    return [
        Step(
            name=rule.name,
            message=rule.message.partition(" ({")[0],  # without what a job asks for
            script=f"workflow/scripts/{script_of(rule)}",
            inputs=[str(path) for path in rule.input],
            outputs=[str(path) for path in rule.output],
            benchmark=str(rule.benchmark or ""),
            threads=rule.resources["_cores"].value,
        )
        for rule in rules
        if rule.script
    ]


def script_of(rule: Any) -> str:
    """File name of the script of a rule of Snakemake, which may name it by a parameter."""
    return Path(rule.script.format(params=rule.params)).name


def needed(steps: Iterable[Step], targets: Iterable[str]) -> list[Step]:
    """The steps that the targets need, directly or through others; each comes after those that it needs."""
    steps, seen, ordered = list(steps), set(), []

    def visit(path: str) -> None:
        for step in steps:
            if step.makes(path) and step.name not in seen:
                seen.add(step.name)
                for source in step.inputs:
                    visit(source)
                ordered.append(step)

    for target in targets:
        visit(target)
    return ordered
