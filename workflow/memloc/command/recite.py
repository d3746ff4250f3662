"""Ask models about texts: run the workflow quietly, and read its answer."""

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import yaml

from memloc.command.question import config_of
from memloc.run.atomic import write_text
from memloc.run.errors import InputError, UserError
from memloc.run.rule import end_with_parent

SNAKEFILE = Path(__file__).parents[3] / "Snakefile"  # of the clone: beside it are the profiles
TOLD = re.compile(r"\[[\d:]+\] (.* left\b.*|.*reading .*|.*goes on .*)")  # how far a job is, in its log
FAILED = re.compile(r"\S+\.log: (?:\[[\d:]+\] )?(?:ERROR: )?(.*)")
SECONDS = 1.0  # between two looks into the logs
Say = Callable[[str], None]


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
        UserError: the workflow failed; the message says why.
    """
    config = config_of(texts, models, **options)
    if not SNAKEFILE.is_file():
        raise UserError(f"{SNAKEFILE}: no workflow here: run `make` in a clone, and its .venv/bin/memloc")
    results = Path("results") / config["study"]
    file = results / "recite.yaml"
    if results.exists() and not (file.exists() and yaml.safe_load(file.read_text()) == config):
        raise InputError(f"--out {config['study']}: {results} holds something else; choose another name")
    folders = [results / name for name in config.get("models", ())] or [results]
    targets = [f"{folder}/tables/recited.parquet" for folder in folders]
    # As the folder then exists, no estimate is made: it takes long.
    command = f"# snakemake -s {SNAKEFILE} --cores all {' '.join(targets)} --configfile {file}\n"
    write_text(file, command + yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=1000))
    say(f"Asking {' and '.join(models)} about {' '.join(texts)}; results appear in {results}/.")
    _run(file, targets, folders, say)
    from memloc.command.answer import answer_of, compared

    answers = [answer_of(folder, name) for folder, name in zip(folders, models, strict=True)]
    return {**config["paragraph"], "models": compared(answers)}


def _run(config: Path, targets: Sequence[str], folders: Sequence[Path], say: Say) -> None:
    """Run the workflow, and say what its jobs log of how far they are. UserError: it failed."""
    words = ["--snakefile", SNAKEFILE, "--cores", "all", *targets, "--configfile", config]
    command = [sys.executable, "-m", "snakemake", *map(str, words)]
    logs, known = [folder / "logs/passages.log" for folder in folders], set()
    _follow(logs, known, lambda line: None)  # what an earlier run has left
    with TemporaryFile("w+") as console:
        streams = {"stdin": subprocess.DEVNULL, "stdout": console, "stderr": console}
        with subprocess.Popen(command, **streams, preexec_fn=end_with_parent) as process:
            try:
                import_module("memloc.command.answer")  # and what reads tables, which takes a second
                while process.poll() is None:
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(SECONDS)
                    _follow(logs, known, say)
            except KeyboardInterrupt:
                process.wait()  # the interrupt ends it, too, and its jobs
                raise
        if process.returncode:
            console.seek(0)
            raise UserError(_reason(console.read()))


def _follow(logs: Sequence[Path], known: set[str], say: Say) -> None:
    """Say the lines of logs that are new, and tell how far a job is."""
    for log in filter(Path.exists, logs):
        for line in log.read_text().splitlines():
            if line not in known and (told := TOLD.fullmatch(line)):
                say(f"{log.parts[-3]}: {told[1]}" if len(logs) > 1 else told[1])
            known.add(line)


def _reason(console: str) -> str:
    """Why a run failed, in one line: what a job says, else the last line of the console."""
    return ["it ended without a word", *filter(None, console.splitlines()), *FAILED.findall(console)][-1]
