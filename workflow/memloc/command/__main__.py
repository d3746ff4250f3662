"""Command `memloc`: which parts of a text a model recites, and the workflow from any folder.

memloc recite TEXT.. --model FOLDER    run the study, print the answer
memloc new TEXT.. --model FOLDER       print a config of that study, with comments, to start from
memloc run CONFIG [TARGET..]           Snakemake with the workflow and the config; takes its options, too
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from memloc.command.recite import Question, commented
from memloc.run.atomic import atomic_path
from memloc.run.errors import InputError, UserError

SNAKEFILE = Path(__file__).parents[3] / "Snakefile"  # of the clone: beside it are the profiles
RECITE = "recited"  # the target that answers
QUIET = ("host", "progress", "reason", "rules")


def main(words: Sequence[str] | None = None) -> None:
    """Do what the words of the command line ask for, and end with Snakemake's status."""
    asked = _parser().parse_args(words)
    try:
        if asked.command == "run":
            sys.exit(_snakemake(asked.config, *asked.targets))
        question = Question(
            asked.texts, asked.model, asked.unseen, asked.length, asked.prefix, asked.stride, asked.out
        )
        if asked.command == "new":
            print(commented(question.config, SNAKEFILE), end="")
        else:
            sys.exit(_recite(question))
    except UserError as error:
        sys.exit(str(error))


def _recite(question: Question) -> int:
    """Write the config, run the workflow, print the answer; Snakemake's status."""
    from memloc.command.answer import answer

    results = Path("results") / question.study
    # A file below the results is ours to replace. A study with results is not estimated, which takes long.
    config = results / "recite.yaml"
    with atomic_path(config) as temporary:
        Path(temporary).write_text(commented(question.config, SNAKEFILE, config))
    status = _snakemake(str(config), RECITE, "--quiet", *QUIET)
    if not status:
        print(answer(results))
        if not question.stride:
            print("Passages that begin between two paragraphs can be missed: --stride 10 finds more of them.")
    return status


def _snakemake(config: str, *words: str) -> int:
    """Run Snakemake in this process and folder: one of its own would import for seconds."""
    if not SNAKEFILE.is_file():
        raise InputError(f"{SNAKEFILE}: no workflow here: run `make` in a clone, and its .venv/bin/memloc")
    _require_yaml(config)
    from snakemake.cli import main as snakemake

    try:
        snakemake(["--snakefile", str(SNAKEFILE), "--cores", "all", *words, "--configfile", config])
    except SystemExit as end:
        if isinstance(end.code, str):  # what is wrong with the config, before any job
            raise
        return end.code or 0
    return 0


def _require_yaml(config: str) -> None:
    """Snakemake says neither which file cannot be read, nor in which line."""
    try:
        yaml.safe_load(Path(config).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{config}: cannot be read ({error.strerror})") from error
    except yaml.MarkedYAMLError as error:
        raise InputError(f"{config}, line {error.problem_mark.line + 1}: {error.problem}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("memloc", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in (
        ("recite", "say which parts of a text a model recites"),
        ("new", "print a config of that study, with comments, to start from"),
    ):
        own = commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
        own.add_argument("texts", nargs="+", metavar="TEXT", help="file, folder or glob of text")
        own.add_argument("--model", required=True, metavar="FOLDER", help="folder with safetensors weights")
        own.add_argument("--unseen", nargs="+", default=[], metavar="TEXT", help="text it has not seen")
        own.add_argument("--length", type=int, metavar="TOKENS", help="of a paragraph (default: 100)")
        own.add_argument("--prefix", type=int, metavar="TOKENS", help="given to the model (half of --length)")
        own.add_argument("--stride", type=int, metavar="TOKENS", help="from one start to the next (--length)")
        own.add_argument("--out", metavar="STUDY", help="its folder is results/STUDY (the first text's name)")
    own = commands.add_parser("run", help="Snakemake with the workflow and a config")
    own.add_argument("config", metavar="CONFIG", help="config file of a study")
    own.add_argument("targets", nargs=argparse.REMAINDER, metavar="TARGET", help="and options of Snakemake")
    return parser


if __name__ == "__main__":
    main()
