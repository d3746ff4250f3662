"""Ask models about texts: run the workflow quietly, and read its answer."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import yaml

from memloc.command.answer import answer_of, compared
from memloc.command.question import config_of
from memloc.run.atomic import write_text
from memloc.run.errors import InputError, UserError
from memloc.run.rule import end_with_parent

SNAKEFILE = Path(__file__).parents[3] / "Snakefile"  # of the clone: beside it are the profiles
TOLD = re.compile(r"\[[\d:]+\] (.* left\b.*|.*reading .*|.*goes on .*)")  # how far a job is, in its log
FAILED = re.compile(r"\S+\.log: (?:\[[\d:]+\] )?(?:ERROR: )?(.*)")
SECONDS = 1.0  # between two looks into the logs
Say = Callable[[str], None]


class RunError(UserError):
    """The workflow failed, or was stopped."""


def recite(
    texts: Sequence[str], models: Sequence[str], *, say: Say = lambda line: None, **options: Any
) -> dict[str, Any]:
    """Which passages of texts models recite: the object that `memloc recite --json` prints.

    Args:
        texts: files, folders and globs.
        models: folders, or models of the hub (org/name@revision).
        say: is told now and then how far it is.
        options: `length`, `prefix`, `unseen`, `encoding` and `out`, as `config_of` takes them and the command
            line explains them.

    Raises:
        InputError: something given cannot be used.
        RunError: the workflow failed.
    """
    config = config_of(texts, models, **options)
    if not SNAKEFILE.is_file():
        raise RunError(f"{SNAKEFILE}: no workflow here: run `make` in a clone, and its .venv/bin/memloc")
    results = Path("results") / config["study"]
    file = results / "recite.yaml"
    if results.exists() and not (file.exists() and yaml.safe_load(file.read_text()) == config):
        raise InputError(f"--out {config['study']}: {results} holds something else; choose another name")
    folders = {f"{name}_": results / name for name in config.get("models", ())} or {"": results}
    # As the folder then exists, no estimate is made: it takes long.
    write_text(file, _commented(config, file))
    say(f"Asking {' and '.join(models)} about {' '.join(texts)}; results appear in {results}/.")
    _run(file, [f"{name}recited" for name in folders], [*folders.values()], say)
    answers = [answer_of(folder, name) for folder, name in zip(folders.values(), models, strict=True)]
    paragraph = config["paragraph"]
    return {"length": paragraph["length"], "prefix": paragraph["prefix"], "models": compared(answers)}


def _commented(config: dict[str, Any], path: Path) -> str:
    """The config as YAML, with the plain command that runs it."""
    command = f"# snakemake -s {SNAKEFILE} --cores all recited --configfile {path}"
    return f"{command}\n{yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=1000)}"


def _run(config: Path, targets: Sequence[str], folders: Sequence[Path], say: Say) -> None:
    """Run the workflow, and say what its jobs log of how far they are. RunError: it failed."""
    words = ["--snakefile", SNAKEFILE, "--cores", "all", *targets, "--configfile", config]
    command = [sys.executable, "-m", "snakemake", *map(str, words)]
    logs, n_told = [folder / "logs/passages.log" for folder in folders], {}
    with TemporaryFile("w+") as console:
        streams = {"stdin": subprocess.DEVNULL, "stdout": console, "stderr": console}
        # It waits for the end of a run that is interrupted.
        with subprocess.Popen(command, **streams, preexec_fn=end_with_parent) as process:
            while process.poll() is None:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(SECONDS)
                _follow(logs, n_told, say)
        if process.returncode:
            console.seek(0)
            raise RunError(_reason(console.read()))


def _follow(logs: Iterable[Path], n_told: dict[Path, int], say: Say) -> None:
    """Say the lines of logs that are new."""
    for log in logs:
        lines = log.read_text().splitlines() if log.exists() else []
        for line in lines[min(n_told.get(log, 0), len(lines)) :]:
            if told := TOLD.fullmatch(line):
                say(told[1])
        n_told[log] = len(lines)


def _reason(console: str) -> str:
    """Why a run failed, in one line: what a job says, else the last line of the console."""
    if found := FAILED.findall(console):
        return found[-1]
    return next(filter(None, reversed(console.splitlines())), "it ended without a word")
