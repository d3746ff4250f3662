"""Validate a frame by its schema, with pandera.

Frames are validated when they are written. Reading does without pandera, which takes as long to import as
pandas.
"""

from collections.abc import Sequence

import pandas as pd

from memloc.tables.columns import Column, Lengths, Schema, TableError

N_ROWS_SHOWN = 5


def pandas_type(column: Column) -> str | pd.CategoricalDtype:
    """Type of a column in a frame."""
    return pd.CategoricalDtype(column.values) if column.dtype == "category" else column.dtype


def validate(
    schema: Schema, frame: pd.DataFrame, lengths: Lengths, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """`frame` with the table's columns, or with `columns` only, in order and with their types.

    Raises:
        TableError: names the table, the column, the broken check and the first bad rows.
    """
    import pandera.pandas as pa

    expected = schema.columns(lengths)
    chosen = {column: expected[column] for column in columns or expected}
    checks = {
        name: pa.Column(pandas_type(column), _checks(column), nullable=column.nullable, unique=column.unique)
        for name, column in chosen.items()
    }
    given = frame.reset_index(drop=True)
    try:
        frame = pa.DataFrameSchema(checks, coerce=True, strict=True).validate(given, lazy=True)
    except pa.errors.SchemaErrors as error:
        raise broken(schema, error.failure_cases) from None
    changed = pd.concat([_changed_values(given[column], frame[column]) for column in chosen])
    if len(changed):
        raise broken(schema, changed)
    return frame[list(chosen)]


def _checks(column: Column) -> list:
    import pandera.pandas as pa

    low, high, length = column.low, column.high, column.length
    found = []
    if column.finite:
        found.append(pa.Check(lambda values: values.abs() < float("inf"), name="finite", error="finite"))
    if low is not None and high is not None:
        found.append(pa.Check.in_range(low, high))
    elif low is not None or high is not None:
        found.append(pa.Check.le(high) if low is None else pa.Check.ge(low))
    if column.values and column.dtype != "category":
        found.append(pa.Check.isin(column.values))
    if not column.empty:
        found.append(pa.Check.str_length(min_value=1))
    if length is not None:
        right = lambda tokens: len(tokens) == length  # noqa: E731
        found.append(pa.Check(right, element_wise=True, error=f"list of {length} tokens"))
    return found


def _changed_values(given: pd.Series, coerced: pd.Series) -> pd.DataFrame:
    """Values that a whole-number or boolean type cannot hold; pandas would silently cut 0.5 to 0."""
    exact = pd.api.types.is_integer_dtype(coerced) or pd.api.types.is_bool_dtype(coerced)
    changed = (given != coerced).fillna(False).astype(bool) if exact else pd.Series(False, index=given.index)
    changed &= coerced.notna()
    values = {"column": given.name, "check": f"type {coerced.dtype}"}
    rows = {"index": given.index[changed], "failure_case": given[changed]}
    return pd.DataFrame({**rows, **values}, dtype=object)


def broken(schema: Schema, failures: pd.DataFrame) -> TableError:
    """An error that names the table and, for every broken check, the column and the first bad rows.

    `failures` has columns column, check, index (of the row) and failure_case (its value).
    """
    lines = []
    for (column, check), rows in failures.groupby(["column", "check"], dropna=False, sort=False):
        column = rows.failure_case.iloc[0] if str(check).startswith("column_in") else column
        shown = ", ".join(
            f"row {index}: {str(case)[:80]}" if pd.notna(index) else str(case)[:80]
            for index, case in rows[["index", "failure_case"]].head(N_ROWS_SHOWN).itertuples(index=False)
        )
        lines.append(f"table {schema.name}, column {column}: breaks {check} in {len(rows)} places ({shown})")
    return TableError("\n".join(lines))
