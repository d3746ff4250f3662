"""Paragraphs of the stored study, written as an array of token ids, come back."""

import numpy as np
import pandas as pd
import pytest
from jobs import STORED, made, settings

from read_tables import read


def test_an_array_gives_its_paragraphs_and_tokens_of_another_model_end_in_one_line(tmp_path):
    stored, file = read(STORED, "paragraphs"), tmp_path / "tokens.npy"
    tokens = np.stack(stored["tokens"])
    np.save(file, tokens)
    given = {
        "study": "listed",
        "paragraph": settings()["paragraph"],
        "data": {"source": "tokens", "files": [str(file)]},
        "model": {"source": "local", "folder": str(STORED / "model")},
    }
    found = read(made(tmp_path, given, "dropped_paragraphs", chosen="paragraphs".__eq__), "paragraphs")
    same = ["id", "text", "tokens"]
    pd.testing.assert_frame_equal(found[same], stored[same])
    assert found[["continuation_count", "near_count", "file"]].isna().all(axis=None)
    assert (found["count"] == 1).all() and not found["unseen"].any()
    tokens[3, 5] = 10**6
    np.save(file, tokens)
    with pytest.raises(ValueError, match=r"^paragraphs hold tokens \d+ to 1000000, .* than the model's$"):
        made(tmp_path, given, "dropped_paragraphs", chosen="paragraphs".__eq__)
