"""What a table is: its columns and how a frame is checked against them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
import pandera.pandas as pa

from memloc.run.errors import InputError

N_ROWS_SHOWN = 5


class TableError(InputError):
    """A table breaks its schema or cannot be read."""


@dataclass(frozen=True)
class Lengths:
    """Tokens of a paragraph and of its prefix; schemas depend on them."""

    paragraph: int = 100
    prefix: int = 50

    @property
    def continuation(self) -> int:
        """Tokens of the continuation."""
        return self.paragraph - self.prefix


@dataclass(frozen=True)
class Schema:
    """A table: its name, and its columns by the lengths of paragraphs."""

    name: str
    columns: Callable[[Lengths], dict[str, pa.Column]]


def validate(
    schema: Schema, frame: pd.DataFrame, lengths: Lengths, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """`frame` with the table's columns in order and their types; with `columns`, it has only these.

    Raises:
        TableError: names the table, the column, the broken check and the first bad rows.
    """
    expected = schema.columns(lengths)
    chosen = {column: expected[column] for column in columns or expected}
    checks = pa.DataFrameSchema(chosen, coerce=True, strict=True, ordered=False)
    given = frame.reset_index(drop=True)
    try:
        frame = checks.validate(given, lazy=True)
    except pa.errors.SchemaErrors as error:
        raise TableError(_explain(schema.name, error.failure_cases)) from None
    changed = pd.concat([_changed_values(given[column], frame[column]) for column in chosen])
    if len(changed):
        raise TableError(_explain(schema.name, changed))
    return frame[list(chosen)]


def _changed_values(given: pd.Series, coerced: pd.Series) -> pd.DataFrame:
    """Whole numbers and truth values that their type cannot hold: pandas would cut 0.5 to 0 in silence."""
    exact = pd.api.types.is_integer_dtype(coerced) or pd.api.types.is_bool_dtype(coerced)
    changed = (given != coerced).fillna(False).astype(bool) if exact else pd.Series(False, index=given.index)
    changed &= coerced.notna()
    values = {"column": given.name, "check": f"type {coerced.dtype}"}
    rows = {"index": given.index[changed], "failure_case": given[changed]}
    return pd.DataFrame({**rows, **values}, dtype=object)


def _explain(name: str, failures: pd.DataFrame) -> str:
    lines = []
    for (column, check), rows in failures.groupby(["column", "check"], dropna=False, sort=False):
        column = rows.failure_case.iloc[0] if str(check).startswith("column_in") else column
        shown = ", ".join(
            f"row {index}: {str(case)[:80]}" if pd.notna(index) else str(case)[:80]
            for index, case in rows[["index", "failure_case"]].head(N_ROWS_SHOWN).itertuples(index=False)
        )
        lines.append(f"table {name}, column {column}: breaks {check} in {len(rows)} places ({shown})")
    return "\n".join(lines)
