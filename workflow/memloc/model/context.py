"""How long a text a model takes, read from its folder without importing transformers."""

import json
from pathlib import Path

from memloc.run.errors import InputError


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
