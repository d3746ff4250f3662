"""Paragraphs that come as arrays of token ids: published lists, and text that was tokenised elsewhere.

Whatever the file, an array is a row per paragraph. Headers are checked before any job runs, values when they
are read. Nothing is unpickled: that could run code.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow
import pyarrow.compute as compute
import pyarrow.json
import pyarrow.parquet as parquet
from jaxtyping import Int
from safetensors import SafetensorError, safe_open

from memloc.run.errors import InputError
from memloc.settings.data import ARRAY_FILE, TokenData
from memloc.settings.paragraph import Paragraph

INTEGERS, TEXT = "whole numbers", "text"


class TokenError(InputError):
    """An array of tokens that cannot be used."""


class Array(NamedTuple):
    """An array in a file: what its header says, and how to read it."""

    place: str
    """The setting that names it, file and name."""
    kind: str  # of its values: INTEGERS, TEXT or the name of another type
    shape: tuple[int, ...]
    read: Callable[[], np.ndarray]


class TokenArrays(NamedTuple):
    """Arrays whose shapes fit each other; those of the tokens lie side by side."""

    tokens: list[Array]
    counts: Array | None
    groups: Array | None


def open_arrays(
    data: TokenData, paragraph: Paragraph, files: Sequence[str], counts: str | None, groups: str | None
) -> TokenArrays:
    """The arrays that section `data` names, with headers that fit.

    `files`, `counts` and `groups` say where the files of the settings lie; the latter two are names of arrays
    of the first file where they are no files.

    Raises:
        TokenError: no such file or array, a pickled one, or one of another type or shape; names the setting.
    """
    named = [(file, name) for file in files for name in _names(file, data)]
    tokens = [_array(file, name, "data.files") for file, name in named]
    n_rows = tokens[0].shape[0] if tokens[0].shape else 0
    for array in tokens:
        _require(array.kind == INTEGERS, array, INTEGERS)
        _require(len(array.shape) == 2 and n_rows > 0, array, "rows of tokens")
        _require(array.shape[0] == n_rows, array, f"{n_rows} rows, as in the first")
    width = sum(array.shape[1] for array in tokens)
    if width != paragraph.length:
        raise TokenError(
            f"{tokens[0].place}: a row has {width} tokens, but paragraph.length is "
            f"{paragraph.length}: set it, and paragraph.prefix, to those of the list"
        )
    found = {}
    for key, name, kinds in (("counts", counts, (INTEGERS,)), ("groups", groups, (INTEGERS, TEXT))):
        if name is not None:
            file = name if name.endswith(ARRAY_FILE) else files[0]
            array = found[key] = _array(file, name, f"data.{key}")
            _require(array.kind in kinds, array, " or ".join(kinds))
            _require(array.shape == (n_rows,), array, f"one for each of {n_rows} paragraphs")
    return TokenArrays(tokens, found.get("counts"), found.get("groups"))


def read_tokens(arrays: TokenArrays, n_vocabulary: int) -> Int[np.ndarray, "paragraph token"]:
    """The tokens of every paragraph.

    Raises:
        TokenError: an id that the tokenizer of the model does not have.
    """
    parts = []
    for array in arrays.tokens:
        values = array.read()
        wrong = np.argwhere((values < 0) | (values >= n_vocabulary))
        if len(wrong):
            row, column = wrong[0]
            raise TokenError(
                f"{array.place}, row {row}: token {values[row, column]}, but the model has "
                f"tokens 0 to {n_vocabulary - 1}: set model to the one that the list was made for"
            )
        parts.append(values.astype(np.int64))
    return np.concatenate(parts, axis=1)


def read_counts(arrays: TokenArrays) -> Int[np.ndarray, "paragraph"]:
    """How often each paragraph was seen; once where that is not known. TokenError: a negative number."""
    if arrays.counts is None:
        return np.ones(arrays.tokens[0].shape[0], dtype=np.int64)
    values = arrays.counts.read()
    if (values < 0).any():
        raise TokenError(f"{arrays.counts.place}: a count below 0")
    return values.astype(np.int64)


def read_groups(arrays: TokenArrays) -> list[str | None]:
    """Group of each paragraph, as text."""
    if arrays.groups is None:
        return [None] * arrays.tokens[0].shape[0]
    return [str(value) for value in arrays.groups.read()]


def _names(file: str, data: TokenData) -> list[str]:
    """Arrays of a file that hold tokens."""
    return [""] if file.endswith(ARRAY_FILE) else data.names


def _array(file: str, name: str, key: str) -> Array:
    """An array of a file. TokenError: the file cannot be used, or does not hold it."""
    ending = next(filter(file.endswith, OPENERS), None)
    if ending is None:
        raise TokenError(f"{key}: {file}: an array of tokens ends in {', '.join(OPENERS)}")
    if not Path(file).is_file():
        raise TokenError(f"{key}: {file}: no such file; correct the path")
    try:
        return OPENERS[ending](file, name, key)
    except KeyError as error:
        names = ", ".join(error.args[0])
        raise TokenError(f"{key}: {file}: it holds {names or 'nothing'}, but no {name!r}") from None
    except (OSError, ValueError, EOFError, SafetensorError, pyarrow.ArrowException) as error:
        raise TokenError(
            f"{key}: {file}: damaged, or not plain numbers (pickled ones could run code when they are read): "
            f"save whole numbers, for .npy with numpy.save ({type(error).__name__})"
        ) from None


def _require(holds: bool, array: Array, wanted: str) -> None:
    if not holds:
        found = f"{array.kind} of shape {[*array.shape]}"
        raise TokenError(f"{array.place}: expected {wanted}, got {found}")


def _npy(file: str, name: str, key: str) -> Array:
    values = np.load(file, mmap_mode="r", allow_pickle=False)
    return Array(f"{key}: {file}", _kind(values.dtype), values.shape, lambda: values)


def _safetensors(file: str, name: str, key: str) -> Array:
    with safe_open(file, "numpy") as tensors:
        if name not in tensors.keys():  # noqa: SIM118 (it is no mapping)
            raise KeyError(sorted(tensors.keys()))
        header = tensors.get_slice(name)
        kind, shape = header.get_dtype(), tuple(header.get_shape())  # kinds are I64, U16, F32, ..

    def read() -> np.ndarray:
        with safe_open(file, "numpy") as tensors:
            return tensors.get_tensor(name)

    place = f"{key}: {file}, {name}"
    return Array(place, INTEGERS if kind[0] in "IU" else kind, shape, read)


def _parquet(file: str, name: str, key: str) -> Array:
    """Its footer says how many values a column of lists has, and hence how long rows of equal length are."""
    with parquet.ParquetFile(file) as table:
        if name not in table.schema_arrow.names:
            raise KeyError(table.schema_arrow.names)
        type_, about = table.schema_arrow.field(name).type, table.metadata
        groups = [about.row_group(number) for number in range(about.num_row_groups)]
        columns = [group.column(place) for group in groups for place in range(group.num_columns)]
        n_values = sum(column.num_values for column in columns if column.path_in_schema.split(".")[0] == name)
        n_rows = about.num_rows
    shape = (n_rows, n_values // max(n_rows, 1)) if _is_list(type_) else (n_rows,)
    place = f"{key}: {file}, {name}"
    return Array(place, _kind_of(type_), shape, lambda: _values(parquet.read_table(file)[name], place))


def _jsonl(file: str, name: str, key: str) -> Array:
    """It has no header: the file is read, and its first row says how long rows are."""
    table = pyarrow.json.read_json(file)
    if name not in table.column_names:
        raise KeyError(table.column_names)
    column, place = table[name], f"{key}: {file}, {name}"
    lengths = (compute.list_value_length(column)[0].as_py() or 0,) if _is_list(column.type) else ()
    return Array(place, _kind_of(column.type), (len(column), *lengths), lambda: _values(column, place))


def _is_list(type_: pyarrow.DataType) -> bool:
    types = pyarrow.types
    return types.is_list(type_) or types.is_large_list(type_) or types.is_fixed_size_list(type_)


def _kind_of(type_: pyarrow.DataType) -> str:
    values = type_.value_type if _is_list(type_) else type_
    text = pyarrow.types.is_string(values) or pyarrow.types.is_large_string(values)
    return TEXT if text else INTEGERS if pyarrow.types.is_integer(values) else str(values)


def _kind(values: np.dtype) -> str:
    return {"i": INTEGERS, "u": INTEGERS, "U": TEXT}.get(values.kind, str(values))


def _values(column: pyarrow.ChunkedArray, place: str) -> np.ndarray:
    """A column as an array; of lists with two axes. TokenError: lists of several lengths, or gaps."""
    values = column.combine_chunks()
    rows = len(values)
    if values.null_count:
        raise TokenError(f"{place}: {values.null_count} of {rows} rows are empty: drop them")
    if not _is_list(values.type):
        return values.to_numpy(zero_copy_only=False)
    lengths = compute.unique(compute.list_value_length(values)).to_pylist()
    flat = values.flatten()
    if len(lengths) > 1 or flat.null_count:
        raise TokenError(f"{place}: rows of {sorted(lengths)} tokens; all must be equally long")
    return flat.to_numpy(zero_copy_only=False).reshape(rows, -1)


OPENERS = {ARRAY_FILE: _npy, ".safetensors": _safetensors, ".parquet": _parquet, ".jsonl": _jsonl}
