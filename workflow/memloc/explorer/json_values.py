"""Values as the page reads them: arrays in base64, single precision; rows with null for missing numbers."""

import base64
import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd


def base64_array(values: np.ndarray) -> dict[str, Any]:
    """An array as its shape and its float32 bytes, little-endian; missing values are NaN."""
    array = np.ascontiguousarray(values, dtype="<f4")
    return {"shape": list(array.shape), "data": base64.b64encode(array.tobytes()).decode()}


def json_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a frame; missing and infinite numbers, which JSON does not know, become null."""
    return [{name: json_value(value) for name, value in row.items()} for row in frame.to_dict("records")]


def json_value(value: Any) -> Any:
    """A value of a frame as JSON holds it."""
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    if value is pd.NA:
        return None
    return value.item() if isinstance(value, np.generic) else value


def described(entries: Mapping[str, Any], tables: Collection[str]) -> list[dict[str, Any]]:
    """The entries (colourings or maps) whose table is on the page, in order and without their functions."""
    return [
        {"key": key} | {name: value for name, value in vars(each).items() if isinstance(value, str | bool)}
        for key, each in entries.items()
        if each.table in tables
    ]


def dense_array(rows: pd.DataFrame, value: str, keys: list[str], shape: tuple[int, ...]) -> np.ndarray:
    """Values of rows as an array by their integer keys; NaN where there is no row."""
    array = np.full(shape, np.nan, dtype=np.float32)
    array[tuple(rows[key].to_numpy(dtype=int) for key in keys)] = rows[value]
    return array
