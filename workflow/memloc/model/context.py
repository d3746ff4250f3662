"""Whether a model's folder is there, and how long a text it takes, without importing transformers."""

import json
from pathlib import Path

from memloc.run.errors import InputError


def require_folder(folder: str, key: str) -> None:
    """Check that the folder that setting `key` names is there. InputError: it is not."""
    if not Path(folder).is_dir():
        raise InputError(f"{key}: {folder}: no such folder; correct the path")


def most_positions(folder: Path | str) -> int | None:
    """Positions of the model of a folder, in tokens; None where config.json is not there or does not say."""
    config = Path(folder) / "config.json"
    values = json.loads(config.read_text()) if config.is_file() else {}
    return values.get("max_position_embeddings") or values.get("n_positions")


def require_room(folder: Path | str, length: int) -> None:
    """Check that a paragraph of `length` tokens fits the model of a folder.

    Raises:
        InputError: it has more tokens than the model has positions.
    """
    most = most_positions(folder)
    if most is not None and length > most:
        raise InputError(
            f"paragraph.length is {length}, but the model has {most} positions: set paragraph.length to "
            f"{most} or less"
        )
