"""What the rules of a study say of themselves, read through Snakemake's own interface.

In a process of its own, because a workflow changes the process that reads it.
"""

import json
import sys
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from projects import forked, workflow_of

from memloc.run.steps import script_of


@dataclass(frozen=True)
class Rules:
    """Descriptions of a study's rules and what follows from their inputs and outputs."""

    all: list[dict[str, Any]]

    @staticmethod
    @cache
    def of(folder: Path, config: str) -> "Rules":
        """Rules of the project in `folder` with a config file."""
        exitcode, output = forked(folder, _print_rules, config)
        assert exitcode == 0, output
        return Rules(json.loads(next(line for line in output.splitlines() if line.startswith("[{"))))

    @property
    def jobs(self) -> list[dict[str, Any]]:
        """Rules that run a script."""
        return [rule for rule in self.all if rule["script"]]

    @cached_property
    def producers(self) -> dict[str, str]:
        """Rule that makes each file."""
        return {path: rule["name"] for rule in self.all for path in rule["outputs"]}

    @cached_property
    def needs(self) -> dict[str, set[str]]:
        """Rules that each rule needs, directly or through others."""
        direct = {
            rule["name"]: {self.producers[path] for path in rule["inputs"] if path in self.producers}
            for rule in self.all
        }
        found: dict[str, set[str]] = {}

        def visit(name: str) -> set[str]:
            if name not in found:
                found[name] = direct[name].union(*map(visit, direct[name]))
            return found[name]

        for name in direct:
            visit(name)
        return found

    def below(self, name: str) -> set[str]:
        """Rules that run a script and need this one, directly or through others."""
        return {rule["name"] for rule in self.jobs if name in self.needs[rule["name"]]}


HASHED: dict[str, list[str]] = {}  # files by the hash of their code and of what they import


def _record_hashed_files() -> None:
    """The workflow imports the library of the folder that it lies in."""
    sys.path.insert(0, "workflow")
    from memloc.run import tracking

    original = tracking.code_hash

    def code_hash(*files: Path) -> str:
        found = original(*files)
        HASHED[found] = [str(file) for file in files]
        return found

    tracking.code_hash = code_hash


def _describe(rule: Any, workflow: Any) -> dict[str, Any]:
    params = dict(rule.params.items())
    code = params["code"](None) if "code" in params else None
    growing = {name: rule.resources[name] for name in ("mem_mb", "runtime") if name in rule.resources}
    growth = {
        name: [of.evaluate(None, attempt=attempt, rulename=rule.name).value for attempt in (1, 2)]
        for name, of in growing.items()
    }
    return {
        "name": rule.name,
        "script": rule.script and script_of(rule),
        "log": [str(path) for path in rule.log],
        "benchmark": rule.benchmark and str(rule.benchmark),
        "message": rule.message,
        "conda": rule.conda_env and str(rule.conda_env),
        "resources": sorted(name for name in rule.resources if not name.startswith("_")),
        "growth": growth,
        "local": rule.name in workflow._localrules,
        "inputs": [str(path) for path in rule.input],
        "outputs": [str(path) for path in rule.output],
        "settings": sorted(params.get("settings", {})),
        "model": params["model"] if isinstance(params.get("model"), dict) else None,
        "code": code,
        "hashed": HASHED.get(code, []),
    }


def _print_rules(config: str) -> None:
    _record_hashed_files()
    with workflow_of(config) as opened:
        workflow = opened._workflow
        described = [rule for rule in workflow.rules if rule.name != "unknown_target"]  # of no file
        print(json.dumps([_describe(rule, workflow) for rule in described]))
