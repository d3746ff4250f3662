"""Columns to build schemas from: type, range, unit and meaning side by side."""

from typing import Any

import pandas as pd
import pandera.pandas as pa


def column(dtype: Any, *checks: pa.Check, meaning: str, unit: str | None = None, **options: Any) -> pa.Column:
    """Column that says what it means, and in which unit it is."""
    return pa.Column(dtype, list(checks), description=meaning, metadata={"unit": unit}, **options)


def integer(low: int, high: int | None = None, dtype: str = "int64", **options: Any) -> pa.Column:
    """Integer column within inclusive limits; tables of millions of rows take a small `dtype`."""
    check = pa.Check.ge(low) if high is None else pa.Check.in_range(low, high)
    return column(dtype, check, **options)


def number(
    low: float | None = None, high: float | None = None, dtype: str = "float64", **options: Any
) -> pa.Column:
    """Finite number column within inclusive limits; tables of millions of rows take a small `dtype`."""
    checks = [pa.Check(lambda column: column.abs() < float("inf"), name="finite", error="finite")]
    if low is not None:
        checks.append(pa.Check.ge(low))
    if high is not None:
        checks.append(pa.Check.le(high))
    return column(dtype, *checks, **options)


def category(*values: str, dictionary: bool = False, **options: Any) -> pa.Column:
    """Text column that holds one of the values; a dictionary of codes in tables of millions of rows."""
    if dictionary:
        return column(pd.CategoricalDtype(values), **options)
    return column("str", pa.Check.isin(values), **options)


def token_list(length: int, **options: Any) -> pa.Column:
    """Column of token lists of one length."""
    check = pa.Check(
        lambda tokens: len(tokens) == length, element_wise=True, error=f"list of {length} tokens"
    )
    return column(object, check, **options)
