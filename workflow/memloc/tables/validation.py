"""Is a frame what its schema says? Frames are judged when they are written."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pandas as pd

from memloc.tables.columns import Column
from memloc.tables.schema import Lengths, Schema, TableError

N_ROWS_SHOWN = 5


class Broken(NamedTuple):
    """A check of a column, and the values that break it."""

    column: str
    check: str
    values: pd.Series


def pandas_type(column: Column) -> str | pd.CategoricalDtype:
    """Type of a column in a frame."""
    return pd.CategoricalDtype(column.values) if column.dtype == "category" else column.dtype


def validate(
    schema: Schema, frame: pd.DataFrame, lengths: Lengths, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """`frame` with the table's columns in order and their types; with `columns`, it has only these.

    Raises:
        TableError: names the table, the column, the broken check and the first bad rows.
    """
    expected = schema.columns(lengths)
    chosen = {name: expected[name] for name in columns or expected}
    given = frame.reset_index(drop=True)
    if differing := sorted(chosen.keys() ^ set(given)):
        words = {name: "missing" if name in chosen else "not of the table" for name in differing}
        raise TableError(
            "\n".join(f"table {schema.name}, column {name}: {words[name]}" for name in differing)
        )
    broken, typed = [], {}
    for name, column in chosen.items():
        typed[name], unlike = _typed(given[name], column)
        failures = [(f"type {column.dtype}", unlike)] if len(unlike) else _failures(typed[name], column)
        broken += [Broken(name, check, values) for check, values in failures if len(values)]
    if broken:
        raise error_of(schema, broken)
    return pd.DataFrame(typed)


def _typed(given: pd.Series, column: Column) -> tuple[pd.Series, pd.Series]:
    """Values in their column's type, and those of them that it cannot hold: 0.5 would be cut to 0."""
    dtype = pandas_type(column)
    try:
        typed = given.astype(dtype)
    except (ValueError, TypeError, OverflowError):
        return given, given[[not _fits(value, dtype) for value in given]]
    changed = given.isna() != typed.isna()
    if pd.api.types.is_integer_dtype(typed) or pd.api.types.is_bool_dtype(typed):
        there = given.notna() & typed.notna()
        changed[there] = (given[there] != typed[there]).astype(bool)
    return typed, given[changed]


def _fits(value: object, dtype: str | pd.CategoricalDtype) -> bool:
    try:
        pd.Series([value], dtype=object).astype(dtype)
    except (ValueError, TypeError, OverflowError):
        return False
    return True


def _failures(values: pd.Series, column: Column) -> Iterator[tuple[str, pd.Series]]:
    """Every check of a column, with the values that break it."""
    there, length = values.dropna(), column.length
    if not column.nullable:
        yield "not missing", values[values.isna()]
    if column.finite:
        yield "finite", there[there.abs() == float("inf")]
    if column.low is not None:
        yield f"at least {column.low}", there[there < column.low]
    if column.high is not None:
        yield f"at most {column.high}", there[there > column.high]
    if column.values and column.dtype != "category":
        yield f"one of {', '.join(column.values)}", there[~there.isin(column.values)]
    if not column.empty:
        yield "not empty", there[there == ""]
    if length is not None:
        yield f"list of {length} tokens", there[there.map(len) != length]
    if column.unique:
        yield "unique", there[there.duplicated(keep=False)]


def error_of(schema: Schema, broken: Sequence[Broken]) -> TableError:
    """An error that names the table and, of every broken check, the column and the first bad rows."""
    lines = []
    for column, check, values in broken:
        shown = ", ".join(f"row {row}: {str(value)[:80]}" for row, value in values[:N_ROWS_SHOWN].items())
        where = f"table {schema.name}, column {column}"
        lines.append(f"{where}: breaks {check} in {len(values)} places ({shown})")
    return TableError("\n".join(lines))
