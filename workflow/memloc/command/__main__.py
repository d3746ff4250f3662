"""Command `memloc recite TEXT.. --model FOLDER`: which parts of a text a model recites, from any folder."""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from memloc.data.text_files import text_files
from memloc.run.atomic import atomic_path
from memloc.run.errors import InputError, UserError

SNAKEFILE = Path(__file__).parents[3] / "Snakefile"  # of the clone: beside it are the profiles
RECITE = "recited"  # the target that answers
COMMENTS = {
    "study": "Results appear in results/<study>, in the folder where Snakemake runs.",
    "data": "Your files, folders and globs.",
    "model": "Folder with safetensors weights and a tokenizer; or source: hub, with id and revision.",
    "paragraph": "Tokens of a paragraph, and how many of them are the prefix that the model is given.",
    "filters": "Only paragraphs with few different tokens are left out.",
}


def main(words: Sequence[str] | None = None) -> None:
    """Do what the words of the command line ask for, and end with Snakemake's status."""
    asked = _parser().parse_args(words)
    try:
        sys.exit(_recite(asked))
    except UserError as error:
        sys.exit(str(error))


def _config(asked: argparse.Namespace) -> dict[str, Any]:
    """The config of the study that the command line asks for: the sections that differ from the defaults.

    The prefix is half of a paragraph by default. The study has the name of the first text by default, without
    its endings, and with hyphens in place of characters that a study's name may not have.
    """
    length, prefix = asked.length, asked.length // 2 if asked.prefix is None else asked.prefix
    if not 0 < prefix < length:
        raise InputError(f"--prefix {prefix}: must be from 1 to {length - 1}, since --length is {length}")
    if asked.out and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", asked.out):
        raise InputError(f"--out {asked.out}: must be a letter or digit, then also dots, - and _ (no path)")
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(asked.texts[0]).name.split(".")[0]).strip("-_")
    return {
        "study": asked.out or name or "text",
        "data": {"source": "text", "files": asked.texts},
        "model": {"source": "local", "folder": asked.model},
        "paragraph": {"length": length, "prefix": prefix},
        "filters": {"keywords": []},
    }


def _commented(config: dict[str, Any], path: Path) -> str:
    """The config as YAML, with a comment on every section and the plain command that runs it."""
    lines = [f"# snakemake -s {SNAKEFILE} --cores all {RECITE} --configfile {path}"]
    for key, value in config.items():
        section = yaml.safe_dump({key: value}, sort_keys=False, allow_unicode=True, width=1000)
        lines += ["", f"# {COMMENTS[key]}", section.rstrip()]
    return "\n".join([*lines, "", "# Every key: config/README.md of the workflow.", ""])


def _recite(asked: argparse.Namespace) -> int:
    """Write the config, run the workflow, print the answer; Snakemake's status."""
    study = _config(asked)
    if not SNAKEFILE.is_file():
        raise InputError(f"{SNAKEFILE}: no workflow here: run `make` in a clone, and its .venv/bin/memloc")
    text_files(asked.texts, "TEXT")
    if not Path(asked.model).is_dir():
        advice = "one of the Hugging Face hub needs a config with `source: hub` (docs/own-text.md)"
        raise InputError(f"--model {asked.model}: no such folder; {advice}")
    from memloc.command.answer import answer

    results = Path("results") / study["study"]
    # Files below the results may be replaced. As the folder then exists, no estimate is made: it takes long.
    config = results / "recite.yaml"
    with atomic_path(config) as temporary:
        Path(temporary).write_text(_commented(study, config))
    status = _snakemake(str(config))
    if not status:
        print(answer(results))
    return status


def _snakemake(config: str) -> int:
    """Run Snakemake in this process and folder: a process of its own would import it for seconds."""
    from snakemake.cli import main as snakemake

    try:
        snakemake(["--snakefile", str(SNAKEFILE), "--cores", "all", RECITE, "--configfile", config])
    except SystemExit as end:
        if isinstance(end.code, str):  # the message about an invalid config, before any job
            raise
        return end.code or 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("memloc", description=__doc__)
    what = "say which parts of a text a model recites"
    own = parser.add_subparsers(required=True).add_parser("recite", help=what, description=what)
    own.add_argument("texts", nargs="+", metavar="TEXT", help="file, folder or glob")
    own.add_argument("--model", required=True, metavar="FOLDER", help="folder with safetensors weights")
    own.add_argument("--length", type=int, default=100, metavar="TOKENS", help="of a paragraph (100)")
    own.add_argument("--prefix", type=int, metavar="TOKENS", help="given to the model (half of --length)")
    own.add_argument("--out", metavar="STUDY", help="its folder is results/STUDY (the first text's name)")
    return parser


if __name__ == "__main__":
    main()
