"""Whether a file that a script made is the stored one."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from drawn import DRAWN, assert_same
from safetensors.numpy import load_file

from memloc.tables import storage
from memloc.tables.schemas import schema_of


def assert_equal(made: Path, stored: Path) -> None:
    """Numbers equal up to rounding, everything else exactly."""
    if made.is_dir() and not stored.exists():
        assert all(path.stat().st_size for path in made.rglob("*.*")), f"{made} is empty"
    elif made.is_dir():
        assert {path.name for path in made.iterdir()} == {path.name for path in stored.iterdir()}
        for path in made.iterdir():
            assert_equal(path, stored / path.name)
    elif made.suffix == ".parquet":
        name = storage.provenance(stored)["table"]
        pd.testing.assert_frame_equal(
            storage.read(schema_of(name), made), storage.read(schema_of(name), stored), rtol=1e-3, atol=1e-5
        )
    elif made.suffix == ".csv":
        pd.testing.assert_frame_equal(pd.read_csv(made), pd.read_csv(stored), rtol=1e-3, atol=1e-5)
    elif made.name.endswith(DRAWN):
        assert_same(*(json.loads(path.read_text()) for path in (made, stored)))
    elif made.suffix == ".safetensors":
        weights, expected = load_file(made), load_file(stored)
        assert weights.keys() == expected.keys()
        for key in weights:
            np.testing.assert_allclose(weights[key], expected[key], rtol=1e-3, atol=1e-4)
    elif stored.exists():
        assert made.read_bytes() == stored.read_bytes()
    else:
        assert made.stat().st_size > 100, f"{made} is empty"
