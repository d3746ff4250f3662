"""The stored tables, and what the page holds of every paragraph."""

import numpy as np
import pytest
from jobs import STORED

from memloc.explorer import tokens
from memloc.explorer.contents import NEEDED, SHOWN
from memloc.explorer.paragraph import paragraphs
from memloc.explorer.selection import corpus_counts
from memloc.tables import storage
from memloc.tables.schemas import schema_of

ABSENT = ("grown_truth", "removal", "removal_damage")  # in the stored study nothing grows or is removed


@pytest.fixture(scope="session")
def tables():
    names = [*NEEDED, *(name for name in SHOWN if name not in ABSENT)]
    return {name: storage.read(schema_of(name), STORED / f"tables/{name}.parquet") for name in names}


@pytest.fixture(scope="session")
def claims(tables):
    """As the page tells them: shares in per cent."""
    told = tables["claims"].copy()
    for name in ("value", "low", "high", "bound"):
        told[name] *= np.where(told["scale"] == "%", 100, 1)
    return told


@pytest.fixture(scope="session")
def pages(tables):
    """Every paragraph's content by its id."""
    ids = tables["sets"].id.tolist()
    counts = corpus_counts([tables["paragraphs"]], tables["sets"], tables["vocabulary"].token.max() + 1)
    return dict(paragraphs(ids, tables, tokens.Shape(24, 12, 2, 2), counts))
