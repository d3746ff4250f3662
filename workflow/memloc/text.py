"""Paragraphs of the user's own text, with their exact number of repeats in it.

The text is cut into paragraphs that do not overlap; how often a paragraph repeats is counted over every
offset of every document, so that a repeat that starts elsewhere counts as well.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
from jaxtyping import Int, UInt64
from numpy.lib.stride_tricks import sliding_window_view

BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that powers never vanish modulo 2**64


class TextError(ValueError):
    """A text file that cannot be used."""


def documents(file: Path | str, field: str) -> Iterator[str]:
    """Documents of a file: a .txt file is one, a .jsonl or .parquet file has one per row, in `field`.

    Raises:
        TextError: another kind of file, or rows without the field.
    """
    file = Path(file)
    if file.suffix == ".txt":
        yield file.read_text(encoding="utf-8")
    elif file.suffix == ".jsonl":
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                row = json.loads(line)
                if not isinstance(row, dict) or not isinstance(row.get(field), str):
                    raise TextError(
                        f"{file}, line {number}: no text in {field!r}; set data.field to the right key"
                    )
                yield row[field]
    elif file.suffix == ".parquet":
        yield from _parquet_documents(file, field)
    else:
        raise TextError(f"{file}: a text file ends in .txt, .jsonl or .parquet")


def _parquet_documents(file: Path, field: str) -> Iterator[str]:
    table = parquet.ParquetFile(file)
    if field not in table.schema_arrow.names:
        raise TextError(
            f"{file}: no column {field!r}, only {', '.join(table.schema_arrow.names)}; set data.field"
        )
    for batch in table.iter_batches(columns=[field]):
        yield from (text for text in batch.column(field).to_pylist() if text)


def row_hashes(rows: Int[np.ndarray, "row token"]) -> UInt64[np.ndarray, "row"]:
    """Polynomial hash, modulo 2**64, of each row of tokens."""
    hashes = np.zeros(len(rows), dtype=np.uint64)
    for column in rows.T:
        hashes = hashes * BASE + column.astype(np.uint64) + np.uint64(1)
    return hashes


def count_repeats(
    paragraphs: Int[np.ndarray, "paragraph token"], texts: list[Int[np.ndarray, "token"]]
) -> Int[np.ndarray, "paragraph"]:
    """How often each of the distinct paragraphs occurs in the texts, at any offset (exact)."""
    length = paragraphs.shape[1]
    hashes = row_hashes(paragraphs)
    order = np.argsort(hashes, kind="stable")
    hashes = hashes[order]
    counts = np.zeros(len(paragraphs), dtype=np.int64)
    for tokens in texts:
        if len(tokens) < length:
            continue
        windows = sliding_window_view(tokens, length)
        found = row_hashes(windows)
        first, last = (np.searchsorted(hashes, found, side=side) for side in ("left", "right"))
        for start in np.flatnonzero(last > first):
            for paragraph in order[first[start] : last[start]]:
                counts[paragraph] += np.array_equal(paragraphs[paragraph], windows[start])
    return counts


def paragraphs(texts: list[list[int]], length: int) -> tuple[np.ndarray, np.ndarray]:
    """Distinct paragraphs of tokenised documents, [paragraph, token], and their repeats.

    Raises:
        TextError: no document is as long as a paragraph.
    """
    cut = (tuple(ids[i : i + length]) for ids in texts for i in range(0, len(ids) - length + 1, length))
    distinct = np.array(list(dict.fromkeys(cut)), dtype=np.int64)
    if not len(distinct):
        raise TextError(f"no document has {length} tokens: give longer text, or set paragraph.length lower")
    return distinct, count_repeats(distinct, [np.array(ids, dtype=np.int64) for ids in texts])
