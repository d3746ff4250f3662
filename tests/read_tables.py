"""Tables of a study's results."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from memloc.tables import storage
from memloc.tables.schemas import schema_of


def read(results: Path, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """A table in the folder of a study's results."""
    return storage.read(schema_of(name), results / f"tables/{name}.parquet", columns)
