"""What `memloc recite` is asked: checked in seconds, in the words of the command line, and made a config."""

import codecs
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memloc.data.documents import documents
from memloc.data.text_files import text_files
from memloc.model.context import lacking, most_positions
from memloc.model.families import family
from memloc.run.errors import InputError

FIELD = "text"  # of rows of .jsonl and .parquet files
FEW = 10_000  # characters of a text so short that its tokens are counted
MOST = 2**25  # characters that are read to see whether a text can be
HUB = re.compile(r"([\w.-]+/[\w.-]+?)(?:@([\w./-]+))?")


@dataclass(frozen=True)
class Question:
    """Texts, models and lengths, as the command line gives them."""

    texts: Sequence[str]
    models: Sequence[str]
    length: int = 100
    prefix: int | None = None
    unseen: Sequence[str] = ()
    encoding: str = "utf-8"
    out: str | None = None

    def config(self) -> dict[str, Any]:
        """The config of the study: the sections that differ from the defaults.

        The prefix is half of a paragraph by default. The study has the names of the first text and of the
        models, and a hash of the whole question, unless `out` names it.

        Raises:
            InputError: something cannot be used.
        """
        prefix = self.length // 2 if self.prefix is None else self.prefix
        if not 0 < prefix < self.length:
            raise InputError(f"--prefix {prefix}: must be from 1 to {self.length - 1}, below --length")
        if self.out and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.out):
            raise InputError(
                f"--out {self.out}: must be a letter or digit, then also dots, - and _ (no path)"
            )
        texts = self._checked_texts()
        models = {name: self._model(name) for name in self.models}
        if sum(map(len, texts)) < FEW:
            self._check_length(texts)
        unseen = {"unseen": [*self.unseen]} if self.unseen else {}
        named = {short_name(given): model for given, model in models.items()}
        if len(named) < len(self.models):
            raise InputError(
                f"--model: {' and '.join(self.models)} have one name; give models of different names"
            )
        asked = {
            "data": {"source": "text", "files": [*self.texts], "encoding": self.encoding, **unseen},
            **({"model": next(iter(named.values()))} if len(named) == 1 else {"models": named}),
            "paragraph": {"length": self.length, "prefix": prefix},
            "filters": {"keywords": []},
        }
        words = [re.sub(r"\W+", "-", Path(self.texts[0]).name.split(".")[0]).strip("-_") or "text", *named]
        whole = hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:6]
        return {"study": self.out or "-".join([*words, whole]), **asked}

    def _checked_texts(self) -> list[str]:
        """The first texts, up to `MOST` characters. InputError: some cannot be read, or there is no text."""
        try:
            codecs.lookup(self.encoding)
        except LookupError:
            raise InputError(
                f"--encoding {self.encoding}: unknown; utf-8 and latin-1 are known ones"
            ) from None
        keys = {"--unseen": self.unseen, "TEXT": self.texts}
        for key, given in keys.items():
            texts = [*_begin(_texts(given, key, self.encoding))]
            if given and not "".join(texts).strip():
                raise InputError(f"{key}: {' '.join(given)}: no text in it")
        return texts

    def _check_length(self, texts: Sequence[str]) -> None:
        """Look whether some text is as long as a paragraph, in tokens of the models. InputError: none is."""
        from tokenizers import Tokenizer

        for file in (Path(model, "tokenizer.json") for model in self.models):
            if file.is_file():
                try:
                    encode = Tokenizer.from_file(str(file)).encode
                except Exception as error:  # of no other class
                    raise InputError(f"--model {file.parent}: {file.name}: {error}") from None
                most = max(len(encode(text, add_special_tokens=False).ids) for text in texts)
                if most < self.length:
                    short = f"TEXT: the longest has {most} tokens, fewer than --length {self.length}"
                    raise InputError(f"{short}: give longer text, or a lower --length")

    def _model(self, given: str) -> dict[str, Any]:
        """Section `model` of a folder, or of a model of the hub. InputError: it is neither, or no use."""
        if not Path(given).is_dir():
            if not (named := HUB.fullmatch(given)):
                raise InputError(
                    f"--model {given}: no such folder, and no name of the hub (org/name@revision)"
                )
            return {"source": "hub", "id": named[1], "revision": named[2] or "main"}
        if missing := lacking(given):
            raise InputError(f"--model {given}: no {missing} in it")
        try:
            family(json.loads(Path(given, "config.json").read_text()).get("model_type"))
            most = most_positions(given)
        except ValueError as error:  # of JSON, or an unknown family
            raise InputError(f"--model {given}: {error}") from None
        if most and self.length > most:
            raise InputError(f"--length {self.length}: the model {given} takes at most {most} tokens")
        return {"source": "local", "folder": given}


def _texts(given: Sequence[str], key: str, encoding: str) -> Iterator[str]:
    """Documents of all files. InputError: one cannot be read; the message begins with `key`."""
    try:
        for file in text_files(given, key, encoding):
            if "://" not in file:
                yield from documents(file, FIELD, encoding)
    except InputError as error:
        raise InputError(f"{key}: {str(error).removeprefix(f'{key}: ')}") from None


def _begin(texts: Iterator[str]) -> Iterator[str]:
    """The first texts, which have `MOST` characters or a few more."""
    n_left = MOST
    while n_left > 0 and (text := next(texts, None)) is not None:
        n_left -= len(text)
        yield text


def short_name(model: str) -> str:
    """Name of a model in the names of folders: the last two parts of its path, or its name on the hub."""
    parts = Path(model).resolve().parts[-2:] if Path(model).is_dir() else [model]
    return re.sub(r"[^A-Za-z0-9.]+", "-", "-".join(parts)).strip("-.")
