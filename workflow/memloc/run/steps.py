"""The rules of a run as plain data: what each runs, reads and writes."""

from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple


class Step(NamedTuple):
    """A rule. The paths of one that runs as several jobs hold `{shard}`."""

    name: str
    message: str
    script: str  # its place in the repository
    inputs: list[str]
    outputs: list[str]
    benchmark: str
    threads: int = 1

    @property
    def study(self) -> str:
        """Folder of the results of the study that the rule belongs to; each of several models has its own."""
        return self.benchmark.partition("/benchmarks/")[0]

    @property
    def rule(self) -> str:
        """Name of the rule without that of a model or of an importing workflow; of shards, their stage."""
        own = self.benchmark.partition("/benchmarks/")[2]
        return PurePosixPath(own).parts[0].removesuffix(".tsv") if own else self.name

    def makes(self, path: str) -> bool:
        """Whether the rule writes a file, in one of its jobs."""
        return any(fnmatch(path, output.replace("{shard}", "*")) for output in self.outputs)


def steps_of(rules: Iterable[Any]) -> list[Step]:
    """Those of Snakemake's rules that run a script."""
    return [
        Step(
            name=rule.name,
            message=rule.message,
            script=f"workflow/scripts/{Path(rule.script).name}",
            inputs=[str(path) for path in rule.input],
            outputs=[str(path) for path in rule.output],
            benchmark=str(rule.benchmark or ""),
            threads=_threads(rule.resources["_cores"]),
        )
        for rule in rules
        if rule.script
    ]


def _threads(asked: Any) -> int:
    """Threads of a rule; one where only its job is told how many (bench takes all there are)."""
    return 1 if asked.is_evaluable() else asked.value


def needed(steps: Iterable[Step], targets: Iterable[str]) -> list[Step]:
    """The steps that the targets need, directly or through others, each after those that it needs."""
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
