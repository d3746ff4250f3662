"""The study that asks which parts of a text a model recites."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Question:
    """A question: texts, the folder of a model, text that it has not seen, tokens of a paragraph.

    None is the workflow's default; of a paragraph whose length is given, half is prefix. `out` names
    the study, which otherwise has the name of the first text.
    """

    texts: Sequence[str]
    model: str
    unseen: Sequence[str] = ()
    length: int | None = None
    prefix: int | None = None
    stride: int | None = None
    out: str | None = None

    @property
    def study(self) -> str:
        """Name of the study."""
        return self.out or _name_of(self.texts[0])

    @property
    def config(self) -> dict[str, Any]:
        """The study's config: what differs from the defaults."""
        data = {"source": "text", "files": [*self.texts]}
        if self.unseen:
            data["unseen_files"] = [*self.unseen]
        if self.stride:
            data["stride"] = self.stride
        prefix = self.length // 2 if self.length and self.prefix is None else self.prefix
        lengths = {"length": self.length, "prefix": prefix}
        paragraph = {key: value for key, value in lengths.items() if value is not None}
        return {
            "study": self.study,
            "data": data,
            "model": {"source": "local", "folder": self.model},
            **({"paragraph": paragraph} if paragraph else {}),
            "filters": {"keywords": []},
        }


def _name_of(text: str) -> str:
    """A study's name: the file's or folder's, without endings and signs that such a name may not have."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(text).name.split(".")[0]).strip("-_")
    return name or "text"


COMMENTS = {
    "study": "Results appear in results/<study>, in the folder where Snakemake runs.",
    "data": "Files, folders and globs; also stride (tokens between starts of paragraphs) and unseen_files.",
    "model": "Or source: hub, with id and revision.",
    "paragraph": "Tokens of a paragraph, and of these the prefix that the model is given.",
    "filters": "Only paragraphs with few different tokens are left out.",
}


def commented(config: dict[str, Any], snakefile: Path, path: Path | None = None) -> str:
    """The config as YAML, with a comment on every section and the plain command that runs it."""
    command = f"snakemake -s {snakefile} --cores all recited --configfile"
    lines = [f"# {command} {path or 'THIS-FILE'}"]
    for key, value in config.items():
        section = yaml.safe_dump({key: value}, sort_keys=False, allow_unicode=True, width=1000)
        lines += ["", f"# {COMMENTS[key]}", section.rstrip()]
    return "\n".join([*lines, "", "# Every key: config/README.md of the workflow.", ""])
