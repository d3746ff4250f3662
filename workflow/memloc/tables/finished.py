"""Tables of a finished study, with units and provenance, for notebooks and scripts of your own."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as parquet
import yaml

from memloc.run.errors import InputError
from memloc.tables import storage
from memloc.tables.columns import Lengths
from memloc.tables.schemas import MEASURED, STAGES, schema_of


class Columns(pd.DataFrame):
    """A row per column of a table: type, unit (empty without one) and meaning; always shown in full."""

    def __repr__(self) -> str:
        return self.to_string()

    def _repr_html_(self) -> str | None:
        with pd.option_context("display.max_colwidth", None, "display.max_rows", None):
            return super()._repr_html_()


@dataclass(frozen=True)
class Study:
    """The folder of a study's results, such as results/mini."""

    folder: Path

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that were in force, defaults included. InputError: they were not written."""
        file = self.folder / "run_config.yaml"
        if not file.exists():
            raise InputError(f"{file}: not there; target run_config writes it")
        return yaml.safe_load(file.read_text())

    @property
    def tables(self) -> list[str]:
        """Names of the tables that are there."""
        return sorted(name for name in STAGES if self.path(name).exists())

    def path(self, name: str) -> Path:
        """File of a table, for DuckDB, polars and other readers of Parquet."""
        return self.folder / ("benchmarks" if name in MEASURED else "tables") / f"{name}.parquet"

    def table(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """A table, or some of its columns, validated. Older results lack columns that tables have got since.

        `attrs` of the frame hold `units`, by column, and `provenance`: study, rule, model, settings, hash of
        the code, seed, versions.

        Raises:
            InputError: the study has no such table, or the table no such column.
            TableError: the file was changed, or is damaged.
        """
        known = self.columns(name).index
        if unknown := [column for column in columns or () if column not in known]:
            raise InputError(f"table {name}: no column {unknown[0]!r}; there are {', '.join(known)}")
        frame = storage.read(schema_of(name), self.path(name), columns)
        stamp = storage.provenance(self.path(name))
        units = {column: unit for column, unit in stamp.pop("units").items() if column in frame}
        stamp.pop("schema", None)  # only `storage` uses it
        frame.attrs = {"units": units, "provenance": stamp}
        return frame

    def columns(self, name: str) -> Columns:
        """Type, unit and meaning of a table's columns. Raises: see `table`."""
        if name not in self.tables:
            raise InputError(f"{self.folder}: no table {name!r}; there are {', '.join(self.tables)}")
        lengths = storage.provenance(self.path(name))["paragraph"]
        columns = schema_of(name).columns(Lengths(lengths["length"], lengths["prefix"]))
        there = parquet.read_schema(self.path(name)).names
        columns = {name: column for name, column in columns.items() if name in there}
        rows = [(column.dtype, column.unit or "", column.meaning) for column in columns.values()]
        return Columns(rows, pd.Index(columns, name="column"), ["type", "unit", "meaning"])


def open_study(folder: Path | str) -> Study:
    """The study whose results lie in `folder`. InputError: there are none."""
    study = Study(Path(folder))
    if not study.tables:
        below = sorted(str(path.parents[1]) for path in study.folder.glob("*/*/scores.parquet"))
        found = f"; studies below it: {', '.join(below)}" if below else ""
        raise InputError(f"{folder}: no tables of a study, which lie in results/<study>/tables{found}")
    return study
