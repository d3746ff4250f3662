"""A model's folder, and checks of its tokenizer and the length of its context, without transformers."""

import json
from pathlib import Path

from memloc.run.errors import InputError

COMMIT = "commit.txt"  # names the commit that a folder was downloaded at
TOKENIZER_FILES = ("tokenizer.json", "vocab.json", "tokenizer.model")


def hub_folder(resources: str, kind: str, id: str, revision: str) -> str:
    """Where downloads from a repository of the hub lie."""
    return f"{resources}/{kind}/{'--'.join(id.split('/'))}@{revision[:12]}"


def require_folder(folder: str, key: str) -> None:
    """Check that the folder in setting `key` exists. InputError: it does not."""
    if not Path(folder).is_dir():
        raise InputError(f"{key}: {folder}: no such folder; correct the path")


def require_tokenizer(folder: Path | str) -> None:
    """Check that a model's folder has a tokenizer: transformers would make an empty one.

    Raises:
        InputError: it has none.
    """
    if not any(Path(folder, name).is_file() for name in TOKENIZER_FILES):
        files = ", ".join(TOKENIZER_FILES)
        raise InputError(f"{folder}: no tokenizer ({files}): save the model's tokenizer into the folder")


def most_positions(folder: Path | str) -> int | None:
    """Context length of a folder's model, in tokens; None if config.json is missing or does not say it."""
    config = Path(folder) / "config.json"
    values = json.loads(config.read_text()) if config.is_file() else {}
    return values.get("max_position_embeddings") or values.get("n_positions")


def require_room(folder: Path | str, length: int) -> None:
    """Check that a paragraph of `length` tokens fits the context of a folder's model.

    Raises:
        InputError: the paragraph is longer.
    """
    most = most_positions(folder)
    if most is not None and length > most:
        raise InputError(
            f"paragraphs have {length} tokens, but the model has {most} positions: ask for shorter ones"
        )
