"""Arrays of token ids are the same in every kind of file; what cannot be used is named."""

import re

import numpy as np
import pandas as pd
import pyarrow
import pytest
import torch
from pyarrow import parquet

from memloc.data.token_arrays import open_arrays
from memloc.model.token_text import decoded
from memloc.run.errors import InputError
from memloc.settings.data import TokenData
from memloc.settings.paragraph import Paragraph

LENGTH, VOCABULARY = 8, 500
TOKENS = np.random.default_rng(0).integers(0, VOCABULARY, (30, LENGTH))
COUNTS = np.arange(30) % 7
GROUPS = [f"book {number // 4}" for number in range(30)]
PARAGRAPH = Paragraph(length=LENGTH, prefix=3)


def write(file, **arrays):
    """A file of named arrays, as its ending says; a .npy file holds the first."""
    if file.suffix == ".npy":
        np.save(file, next(iter(arrays.values())))
    else:
        frame = pd.DataFrame({name: list(array) for name, array in arrays.items()})
        lines = {"orient": "records", "lines": True}
        frame.to_parquet(file) if file.suffix == ".parquet" else frame.to_json(file, **lines)
    return str(file)


def opened(*files, **data):
    return open_arrays(TokenData(source="tokens", files=files, **data), PARAGRAPH, files)


@pytest.mark.parametrize("ending", [".npy", ".parquet", ".jsonl"])
def test_prefixes_and_continuations_lie_side_by_side(tmp_path, ending):
    tokens = TOKENS if ending == ".jsonl" else TOKENS.astype("uint16")
    parts = {"prefix": tokens[:, :3], "rest": tokens[:, 3:]}
    if ending == ".npy":
        arrays = opened(*(write(tmp_path / f"{name}.npy", part=part) for name, part in parts.items()))
    else:
        arrays = opened(write(tmp_path / f"both{ending}", **parts), names=["prefix", "rest"])
    assert np.array_equal(np.hstack([array.values for array in arrays]), TOKENS)


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("a.npy", TOKENS[0], ": expected rows of tokens, got whole numbers of shape [8]"),
        ("a.npy", TOKENS / 2, ": expected whole numbers, got float64 of shape [30, 8]"),
        ("a.npy", TOKENS[:0], ": expected rows of tokens, got whole numbers of shape [0, 8]"),
        ("a.npy", TOKENS[:, :5], ": a row has 5 tokens, but paragraph.length is 8: set it"),
        ("a.npy", TOKENS.astype(object), ": damaged, or not plain numbers"),
        ("a.parquet", TOKENS / 2, ", tokens: expected whole numbers, got float64"),
        ("a.parquet", COUNTS, ", tokens: expected rows of tokens, got whole numbers"),
        ("a.jsonl", GROUPS, ", tokens: expected whole numbers, got <U6 of shape [30]"),
        ("a.pt", TOKENS, ": an array of tokens ends in .npy, .parquet, .jsonl"),
    ],
)
def test_an_array_of_another_kind_is_named_before_it_is_read(tmp_path, file, content, told):
    path = tmp_path / file
    if path.suffix == ".pt":
        path.write_bytes(b"anything")
    else:
        write(path, tokens=content)
    with pytest.raises(InputError, match=rf"data\.files: .*{re.escape(file + told)}") as error:
        opened(str(path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("ending", [".npy", ".parquet", ".jsonl"])
def test_a_missing_or_damaged_file_is_named(tmp_path, ending):
    file = tmp_path / f"a{ending}"
    with pytest.raises(InputError, match=r"^data\.files: .*: no such file; correct the path$"):
        opened(str(file))
    write(file, tokens=TOKENS)
    whole = file.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"\x80\x04K\x01."):  # the latter is a pickled number
        file.write_bytes(damaged)
        with pytest.raises(InputError, match=r"^data\.files: .*: damaged, or not plain numbers") as error:
            opened(str(file))
        assert "\n" not in str(error.value) and "allow_pickle" not in str(error.value)


@pytest.mark.parametrize("ending", [".parquet", ".jsonl"])
def test_a_name_that_a_file_does_not_have_is_told_with_those_that_it_has(tmp_path, ending):
    file = write(tmp_path / f"a{ending}", ids=TOKENS, seen=COUNTS)
    with pytest.raises(InputError, match=r"data\.files: .*: it holds ids, seen, but no 'tokens'"):
        opened(file)


def test_arrays_side_by_side_have_as_many_rows(tmp_path):
    files = [write(tmp_path / "a.npy", part=TOKENS[:, :3]), write(tmp_path / "b.npy", part=TOKENS[:20, 3:])]
    with pytest.raises(InputError, match=r"b\.npy: expected 30 rows, as in the first, got .* \[20, 5\]"):
        opened(*files)


@pytest.mark.parametrize(
    ("tokens", "told"),
    [
        ([[1] * 7, [1] * 9], "rows must be equally long, and none may be empty"),
        ([[1] * 8, None], "rows must be equally long, and none may be empty"),
        ([[1] * 8, [1, None, *[1] * 6]], "expected whole numbers, got float64"),
    ],
)
def test_rows_that_cannot_be_used_are_told_with_the_setting_that_names_them(tmp_path, tokens, told):
    parquet.write_table(pyarrow.table({"tokens": tokens}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=rf"data\.files: .*, tokens: {told}"):
        opened(str(tmp_path / "a.parquet"))


@pytest.mark.parametrize("wrong", [VOCABULARY, -1])
def test_a_token_that_the_model_does_not_have_is_an_error(wrong):
    with pytest.raises(InputError, match=f"tokens .*{wrong}.* another tokenizer than the model's"):
        decoded(torch.tensor([[3, wrong]]), range(VOCABULARY))
