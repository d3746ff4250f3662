"""Whether a model's folder is there, and how long a text it takes, without importing transformers."""

import json
from pathlib import Path

from memloc.run.errors import InputError
from memloc.settings.study import Settings


def require_folders(settings: Settings) -> None:
    """Check that the folders of local models are there. InputError: names the setting of one that is not."""
    for key, model in {"model": settings.model, **(settings.models or {})}.items():
        if model and model.source == "local" and not Path(model.folder).is_dir():
            place = key if key == "model" else f"models.{key}"
            raise InputError(f"{place}.folder: {model.folder}: no such folder; correct the path")


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
