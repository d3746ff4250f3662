"""Paragraphs that come as arrays of token ids: published lists, and text that was tokenised elsewhere.

In every kind of file, an array has a row per paragraph. Shapes are checked before any job runs, token ids
once the tokenizer is there. Nothing is unpickled: that could run code.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from memloc.run.errors import InputError
from memloc.settings.data import ARRAY_FILE, TokenData
from memloc.settings.paragraph import Paragraph

INTEGERS = "whole numbers"


class Array(NamedTuple):
    """An array of a file; the array of a .npy file stays on the disk."""

    place: str
    """The setting that names it, its file, and its name in the file."""
    values: np.ndarray

    @property
    def kind(self) -> str:
        """Type of the values: INTEGERS, or the name of another type."""
        return INTEGERS if self.values.dtype.kind in "iu" else str(self.values.dtype)


def open_arrays(data: TokenData, paragraph: Paragraph, files: Sequence[str]) -> list[Array]:
    """The arrays of tokens that section `data` names, side by side; their types and shapes are checked.

    `files` are paths of the files that the settings name.

    Raises:
        InputError: a file or array is missing, pickled, or of another type or shape; names the setting.
    """
    named = [(file, name) for file in files for name in ([""] if file.endswith(ARRAY_FILE) else data.names)]
    tokens = [read_array(file, name, "data.files") for file, name in named]
    n_rows = len(tokens[0].values) if tokens[0].values.ndim else 0
    for array in tokens:
        require(array.kind == INTEGERS, array, INTEGERS)
        require(array.values.ndim == 2 and n_rows > 0, array, "rows of tokens")
        require(len(array.values) == n_rows, array, f"{n_rows} rows, as in the first")
    width = sum(array.values.shape[1] for array in tokens)
    if width != paragraph.length:
        raise InputError(
            f"{tokens[0].place}: a row has {width} tokens, but paragraph.length is "
            f"{paragraph.length}: set it, and paragraph.prefix, to those of the list"
        )
    return tokens


def read_array(file: str, name: str, key: str) -> Array:
    """An array of a file. InputError: the file cannot be used, or does not hold it."""
    ending = next(filter(file.endswith, READERS), None)
    if ending is None:
        raise InputError(f"{key}: {file}: an array of tokens ends in {', '.join(READERS)}")
    if not Path(file).is_file():
        raise InputError(f"{key}: {file}: no such file; correct the path")
    try:
        found = READERS[ending](file)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"{key}: {file}: damaged, or not plain numbers (pickled ones could run code when they are read): "
            f"save whole numbers, for .npy with numpy.save ({type(error).__name__})"
        ) from None
    if name not in found:
        raise InputError(f"{key}: {file}: it holds {', '.join(sorted(found)) or 'nothing'}, but no {name!r}")
    place, values = f"{key}: {file}{', ' if name else ''}{name}", found[name]
    return Array(place, values if isinstance(values, np.ndarray) else _column(values, place))


def require(holds: bool, array: Array, wanted: str) -> None:
    """Refuse an array that does not hold what is `wanted`. InputError: it says what the array holds."""
    if not holds:
        found = f"{array.kind} of shape {[*array.values.shape]}"
        raise InputError(f"{array.place}: expected {wanted}, got {found}")


def _column(column: pd.Series, place: str) -> np.ndarray:
    """A column as an array; lists become rows. InputError: lists differ in length, or are missing."""
    try:
        return np.stack(column)
    except ValueError:
        raise InputError(f"{place}: rows must be equally long, and none may be empty") from None


# Arrays and columns of a file by their names; the array of a .npy file has no name.
READERS: dict[str, Callable[[str], Mapping[str, np.ndarray] | pd.DataFrame]] = {
    ARRAY_FILE: lambda file: {"": np.load(file, mmap_mode="r", allow_pickle=False)},
    ".parquet": pd.read_parquet,
    ".jsonl": partial(pd.read_json, lines=True),
}
