"""Texts of a run for the console: its first and last lines, and the answer to an unknown target."""

import logging
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

OWN = "memloc"  # attribute of records of Snakemake's log that are ours


def spoken(seconds: float) -> str:
    """A time in hours, minutes or seconds, whichever suits it."""
    if seconds >= 7200:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.0f} s"


def sized(n_bytes: float) -> str:
    """A number of bytes in GB, MB, kB or bytes, whichever suits it."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= size:
            return f"{n_bytes / size:.1f} {unit}"
    return f"{n_bytes:.0f} bytes"


def say(text: str | None, level: int = logging.INFO, about: object = None) -> None:
    """Write to Snakemake's console and log, with what our logger plugin needs to know of the run."""
    logging.getLogger("snakemake.logging").log(level, text, extra={OWN: about})


def unknown_target(word: str, targets: Sequence[str]) -> str:
    """The message for a word that is no target; it names the nearest targets."""
    nearest = get_close_matches(word, targets)
    if not nearest:
        return f"{word}: no such target; `snakemake --list-rules` names all"
    return f"{word}: no such target; did you mean {' or '.join(nearest)}?"


def first_lines(study: str, n_steps: int, seconds: float | None, more: float, results: Path) -> str:
    """The first lines of a run: rules, seconds if known and what reciting adds, and where results appear."""
    most = f", and up to {spoken(more)} more if the model recites much of the text" if more else ""
    time = f", about {spoken(seconds)}{most}" if seconds else ""
    rules = f"{n_steps} rule{'' if n_steps == 1 else 's'}"
    return (
        f"Study {study}: {rules} to run{time}.\n"
        f"Results appear in {results}/: figures/ and tables/ as they are made, a log per rule in logs/."
    )


def end_of(log: Path) -> str:
    """Why a job failed, in a line, by its log: the last line of an error, or that there was none.

    A process that is killed with `kill -9`, as for want of memory, cannot say so.
    """
    text = log.read_text() if log.exists() else ""
    *_, last = text.splitlines() or ["nothing"]
    if "Traceback (most recent call last)" in text or "ERROR: " in last:
        return last
    return f"killed, perhaps for want of memory: no error is in its log, which ends with: {last}"


def last_lines(study: str, results: Path) -> str:
    """The last lines of a run: the study's headline, or what is recited, and paths of what was made."""
    told: list[str] = []
    for file, n_lines in (("headline.txt", None), ("figures/recited.rst", 1)):
        if not told and (results / file).exists():
            told = (results / file).read_text().splitlines()[:n_lines]
    shown = {
        "Explorer": results / "explorer/index.html",
        "Figures, one page": results / "figures.html",
        "Figures, files": results / "figures",
        "Bundle": results / "bundle.zip",
    }
    places = [f"{name}: {path}" for name, path in shown.items() if path.exists()]
    return "\n".join([f"Study {study}", *(f"  {line}" for line in [*told, *places])]) if places else ""
