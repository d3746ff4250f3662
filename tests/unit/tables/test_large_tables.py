"""Tables of millions of rows: small types survive the file, and validation takes seconds."""

import time

import numpy as np
import pandas as pd
import pytest
import torch

from memloc.localization.activation_gradients import activation_gradients
from memloc.localization.attention_tables import attention_frame
from memloc.model.loading import boot_bridge
from memloc.settings.activation_gradients import ActivationGradients
from memloc.tables.schema import TableError
from memloc.tables.schemas import schema_of
from memloc.tables.storage import read, write

STAMP = {"paragraph": {"length": 100, "prefix": 50}}
SECONDS = 10  # for writing, and for reading, as many rows as GPT-Neo 125M has


def test_attention_of_gpt_neo_125m_is_written_and_read_in_seconds(tmp_path):
    path = tmp_path / "attention.parquet"
    attention = torch.rand(1000, 12, 12, 51, generator=torch.Generator().manual_seed(0))
    frame = attention_frame(attention, np.arange(1000))
    assert len(frame) == 7_200_000
    start = time.monotonic()
    write(schema_of("attention"), frame, path, STAMP)
    written = time.monotonic()
    again = read(schema_of("attention"), path)
    assert written - start < SECONDS and time.monotonic() - written < SECONDS
    assert again.memory_usage(index=False).sum() == 14 * len(frame)  # bytes
    pd.testing.assert_frame_equal(again, frame)


def test_activation_gradients_keep_their_small_types(tmp_path, tiny_gpt2, tiny_tokens):
    path = tmp_path / "activation_gradients.parquet"
    bridge = boot_bridge(tiny_gpt2)
    frames = [
        activation_gradients(bridge, tiny_tokens, np.arange(7), group, 6, ActivationGradients(micro_batch=7))
        for group in ("memorized", "perturbed")
    ]
    frame = pd.concat(frames, ignore_index=True)
    write(schema_of("activation_gradients"), frame, path, STAMP)
    again = read(schema_of("activation_gradients"), path)
    pd.testing.assert_frame_equal(again, frame)
    assert again.memory_usage(index=False).sum() / len(again) < 20  # bytes


@pytest.mark.parametrize(
    ("column", "value", "named"),
    [("component", "w", "component"), ("group", None, "group"), ("layer", 40_000, "layer")],
)
def test_values_that_small_types_cannot_hold_are_refused(tmp_path, column, value, named):
    row = {
        "group": "memorized",
        "id": 1,
        "layer": 0,
        "component": "v",
        "head": 0,
        "position": 3,
        "max_abs": 0.1,
    }
    frame = pd.DataFrame([row, row | {column: value}])
    with pytest.raises(TableError, match=f"column {named}"):
        write(schema_of("activation_gradients"), frame, tmp_path / "table.parquet", STAMP)
    assert not list(tmp_path.iterdir())
