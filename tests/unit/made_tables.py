"""Frames of tables as tests make them: the columns that matter, and defaults of the schema for all others."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from memloc.tables import storage
from memloc.tables.columns import Column, Lengths, Schema
from memloc.tables.schemas import schema_of
from memloc.tables.validation import pandas_type

LENGTHS = Lengths(paragraph=6, prefix=4)
STAMP = {
    "study": "x",
    "seed": 0,
    "paragraph": {"length": LENGTHS.paragraph, "prefix": LENGTHS.prefix},
    "versions": {"python": "3"},
}


def frame_of(table: str, lengths: Lengths = LENGTHS, **given: Any) -> pd.DataFrame:
    """A frame of a table: the given columns (a value for all rows, or one for each), and defaults.

    Defaults are the lowest value, the first word, row numbers where values are unique, or missing values
    where there may be any. Types are those of the schema, which does not judge the values.
    """
    columns = schema_of(table).columns(lengths)
    assert given.keys() <= columns.keys(), f"{table} has no {given.keys() - columns.keys()}"
    frame = pd.DataFrame({name: _plain(values) for name, values in given.items()}, index=_rows(given))
    for name in columns.keys() - given.keys():
        frame[name] = _default(columns[name], len(frame))
    typed = frame[list(columns)].astype({name: pandas_type(column) for name, column in columns.items()})
    assert (typed.isna() == frame[list(columns)].isna()).all(axis=None), f"{table} has no such category"
    return typed


def crossed(**axes: Any) -> pd.DataFrame:
    """A row for every combination of values; `**` makes columns for `frame_of` of it."""
    return pd.MultiIndex.from_product(axes.values(), names=axes).to_frame(index=False)


def _rows(given: dict[str, Any]) -> range:
    many = [values for values in given.values() if hasattr(values, "__len__") and not isinstance(values, str)]
    return range(max(map(len, many), default=1))


def _plain(values: Any) -> Any:
    return values.array if isinstance(values, pd.Series) else values


def _default(column: Column, n: int) -> Any:
    if column.unique:
        return np.arange(n) + (column.low or 0)
    if column.nullable:
        return None
    if column.dtype == "object":
        return [[0] * (column.length or 1) for _ in range(n)]
    if column.values:
        return column.values[0]
    if column.dtype == "str":
        return "text"
    return np.zeros(n) + (column.low or 0)


def scores(**changes: Any) -> pd.DataFrame:
    """A small table of scores."""
    em = [0, 1, 2, 2, 1, 0, 1, 2]
    more = {"nll": np.linspace(0.1, 3, 8), "margin": np.linspace(1, 2, 8), "redecoded": [True, False] * 4}
    return frame_of("scores", em=em, **more).assign(**changes)


def write_without(column: str, frame: pd.DataFrame, path: Path, stamp: dict[str, Any] = STAMP) -> None:
    """Write a table of scores as code did that had no such column yet."""
    newer, older = schema_of("scores").columns, frame.drop(columns=column)
    schema = Schema("scores", lambda lengths: {name: newer(lengths)[name] for name in older})
    storage.write(schema, older, path, {"rule": "scores"} | stamp)


def unlike_tokens(rows: Any) -> np.ndarray:
    """A token each, so that no two paragraphs are alike."""
    return np.asarray(rows).reshape(-1, 1)
