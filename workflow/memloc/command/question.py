"""What `memloc recite` is asked: checked in a second, in the words of the command line, and made a config."""

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from typing import Any

from memloc.data.text_files import ROWS, documents, text_files
from memloc.model.context import hub_folder, most_positions, require_tokenizer
from memloc.model.families import family
from memloc.run.errors import InputError

FEW = 10_000  # characters of a text so short that its tokens are counted
PATIENCE = 1.2  # seconds that the hub has to answer
HUB = re.compile(r"(\w[\w.-]*/\w[\w.-]*?)(?:@([\w./-]+))?")


def config_of(
    texts: Sequence[str],
    models: Sequence[str],
    *,
    length: int = 100,
    prefix: int | None = None,
    unseen: Sequence[str] = (),
    encoding: str = "utf-8",
    out: str | None = None,
) -> dict[str, Any]:
    """The config of the study that answers a question: the sections that differ from the defaults.

    The study has the names of the first text and of the models and a hash of the question, or the name `out`.

    Raises:
        InputError: something cannot be used.
    """
    prefix = length // 2 if prefix is None else prefix
    if length < 2:
        raise InputError(f"--length {length}: must be at least 2")
    if not 0 < prefix < length:
        raise InputError(f"--prefix {prefix}: must be from 1 to {length - 1}, below --length")
    if out and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", out):
        raise InputError(f"--out {out}: must be a letter or digit, then also dots, - and _ (no path)")
    files = [file for file in text_files(texts, "TEXT", encoding) if "://" not in file]
    for file in (*files, *text_files(unseen, "--unseen", encoding)):
        if file.endswith((".gz", *ROWS)) and "://" not in file:
            next(documents(file, "text", encoding), None)  # its first bytes do not tell whether it is text
    sections = {short_name(model): _section(model, length) for model in models}
    if len(sections) < len(models):
        raise InputError(f"--model: {' and '.join(models)} have one name; give models of different names")
    if files:
        _require_length(files, encoding, models, length)
    asked = {
        "data": {"source": "text", "files": [*texts], "unseen": [*unseen], "encoding": encoding},
        **({"model": sections.popitem()[1]} if len(models) == 1 else {"models": sections}),
        "paragraph": {"length": length, "prefix": prefix},
        "filters": {"keywords": []},
    }
    name = re.sub(r"\W+", "-", Path(texts[0]).name.split(".")[0]).strip("-_") or "text"
    whole = hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:6]
    return {"study": out or "-".join([name, *map(short_name, models), whole]), **asked}


def _section(given: str, length: int) -> dict[str, Any]:
    """Section `model` of a folder, or of a model of the hub. InputError: it is neither, or of no use."""
    section, folder = {"source": "local", "folder": given}, Path(given)
    if not folder.is_dir():
        if not (named := HUB.fullmatch(given)):
            raise InputError(f"--model {given}: no such folder, and no name of the hub (org/name@revision)")
        asked = {"id": named[1], "revision": named[2] or "main"}
        section, folder = {"source": "hub", **asked}, Path(hub_folder("resources", "models", **asked))
        if not folder.is_dir():
            _require_on_hub(*asked.values())
            return section
    try:
        if missing := [name for name in ("config.json", "*.safetensors") if not any(folder.glob(name))]:
            raise InputError(f"no {missing[0]} in it")
        require_tokenizer(folder)
        family(json.loads((folder / "config.json").read_text()).get("model_type"))
        most = most_positions(folder)
    except ValueError as error:  # of JSON, or the user's
        raise InputError(f"--model {given}: {str(error).removeprefix(f'{folder}: ')}") from None
    if most is not None and length > most:
        raise InputError(f"--length {length}: above the {most} positions of --model {given}")
    return section


def _require_on_hub(model_id: str, revision: str) -> None:
    """Check that the hub has all files of a model. InputError: it has not, or does not answer in time."""
    from memloc.data.hub import DownloadError, listed
    from memloc.settings.running import Network

    wrong = [f"{model_id} at {revision}: the hub does not answer"]

    def ask() -> None:
        try:
            listed(model_id, revision, Network().endpoint)
            wrong.clear()
        except DownloadError as error:
            wrong[:] = [str(error)]

    asking = Thread(target=ask, daemon=True)  # a search for the hub's address can take no limit of time
    asking.start()
    asking.join(PATIENCE)
    for said in wrong:
        raise InputError(f"--model {said}; no folder either: correct the name, go online, or set HF_TOKEN")


def _require_length(files: Sequence[str], encoding: str, models: Sequence[str], length: int) -> None:
    """Check that some text is as long as a paragraph, in tokens of the models. InputError: none is."""
    from tokenizers import Tokenizer

    for file in filter(Path.is_file, (Path(model, "tokenizer.json") for model in models)):
        try:
            encode = Tokenizer.from_file(str(file)).encode
        except Exception as error:  # of no other class
            raise InputError(f"--model {file.parent}: {file.name}: {error}") from None
        most = 0
        for text in (text for file in files for text in documents(file, "text", encoding)):
            most = max(most, len(encode(text[:FEW], add_special_tokens=False).ids))
            if len(text) >= FEW or most >= length:
                break
        else:
            raise InputError(f"TEXT: {most} tokens; give longer text, or a lower --length than {length}")


def short_name(model: str) -> str:
    """Name of a model in the names of folders: the last two parts of its path, or its name on the hub."""
    parts = Path(model).resolve().parts[-2:] if Path(model).is_dir() else [model]
    return re.sub(r"[^A-Za-z0-9.]+", "-", "-".join(parts)).strip("-.")
