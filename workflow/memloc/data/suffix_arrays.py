"""Indexes in which any run of tokens is counted, whatever the size of the corpus (infini-gram, 2401.17377).

A folder holds a corpus in shards of three files. `tokenized.N` has the token ids of all documents, each after
a separator: the largest number of the ids' type, which is not a token, so that no run goes from one document
into the next. `table.N` has the places of all tokens, in the order of what follows them there (a suffix
array); `offset.N` has those at which documents begin. A count is the distance between two
binary searches' results. Files are memory-mapped: they may be larger than the memory.

The package infini-gram is optional: it has wheels for Linux on x86_64 only.
"""

import importlib
import importlib.util
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Int

from memloc.run.errors import InputError
from memloc.settings.exposure import Exposure

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

PACKAGE = "infini_gram"
TYPES = {1: "u8", 2: "u16", 4: "u32"}  # of token ids, by bytes; little-endian
FILES = ("tokenized", "table", "offset")


class IndexFolderError(InputError):
    """An index that cannot be used."""


class Index(NamedTuple):
    """An index whose files fit each other; its folders together hold one corpus."""

    folders: list[str]
    files: list[str]
    width: int  # bytes per token

    @property
    def n_tokens(self) -> int:
        """Tokens and separators of the corpus."""
        sizes = (Path(file).stat().st_size for file in self.files if Path(file).stem == "tokenized")
        return sum(sizes) // self.width


def open_index(asked: Exposure) -> Index:
    """The index that the settings name. Only the sizes of files are looked at: they say how wide a token is.

    Raises:
        IndexFolderError: no index, one that is incomplete, or whose tokenizer is unknown; names the setting.
            Or the package is not installed.
    """
    if not importlib.util.find_spec(PACKAGE):
        raise IndexFolderError(
            "exposure.index: needs the package infini-gram, which is not installed: pip install infini-gram "
            "(Linux on x86_64, Python 3.11 to 3.13)"
        )
    if asked.tokenizer is None:
        raise IndexFolderError(
            "exposure.tokenizer: missing: an index does not say which tokens its ids are: name the folder of "
            "its tokenizer"
        )
    files, widths = [], set()
    for folder in asked.index:
        tokens = sorted(Path(folder).glob("tokenized.*"))
        if not tokens:
            raise IndexFolderError(f"exposure.index: {folder}: no index there (tokenized.0, ..): correct it")
        for path in tokens:
            shard = [path.with_stem(name) for name in FILES]
            if missing := [file.name for file in shard if not file.is_file()]:
                raise IndexFolderError(f"exposure.index: {folder}: no {missing[0]}: fetch or make it again")
            widths.add(token_width(*shard[:2]))
            files += map(str, shard)
    if len(widths) > 1:
        raise IndexFolderError("exposure.index: token ids of several types: name indexes of one tokenizer")
    return Index(asked.index, files, widths.pop())


def token_width(tokens: Path, table: Path) -> int:
    """Bytes per token, from sizes alone: the table has a pointer per token, as wide as the file needs.

    Raises:
        IndexFolderError: sizes that do not fit: one of the files is incomplete.
    """
    n_bytes, n_table = tokens.stat().st_size, table.stat().st_size
    for width in TYPES:
        if n_bytes and n_bytes // width * pointer_width(n_bytes) == n_table and n_bytes % width == 0:
            return width
    raise IndexFolderError(
        f"exposure.index: {table}: {n_table:,} bytes do not fit {n_bytes:,} bytes of tokens: one of these "
        "files is incomplete; fetch or make it again"
    )


def pointer_width(n_bytes: int) -> int:
    """Bytes of a pointer into a file."""
    return math.ceil(math.log2(n_bytes) / 8)


def require_same_tokens(
    ids: Int[np.ndarray, "id"],
    model: "PreTrainedTokenizerBase",
    index: "PreTrainedTokenizerBase",
) -> None:
    """IndexFolderError: one of the ids is another token in the index than in the model."""
    names = (tokenizer.convert_ids_to_tokens(ids.tolist()) for tokenizer in (model, index))
    for token, ours, theirs in zip(ids.tolist(), *names, strict=True):
        if ours != theirs:
            raise IndexFolderError(
                f"exposure.index: tokens of another tokenizer than the model's (id {token} is {theirs!r} "
                f"there, and {ours!r} in the model): name an index in the tokens of the model"
            )


def counter(index: Index) -> Callable[[Int[np.ndarray, "row token"]], Int[np.ndarray, "row"]]:
    """Function that tells how often the run of tokens of each row occurs in the index, at any offset (exact).

    Raises (as the function is called):
        IndexFolderError: a token id that the index cannot hold.
    """
    engine = importlib.import_module(f"{PACKAGE}.engine").InfiniGramEngine(
        index.folders,
        eos_token_id=0,  # it and the vocabulary matter for next-token distributions only
        vocab_size=1,
        token_dtype=TYPES[index.width],
    )
    separator = 2 ** (8 * index.width) - 1

    def count(rows: Int[np.ndarray, "row token"]) -> Int[np.ndarray, "row"]:
        if rows.max(initial=0) >= separator:
            raise IndexFolderError(
                f"exposure.index: token {rows.max()}, but the ids of the index are below {separator}: name "
                "an index in the tokens of the model"
            )
        return np.array([engine.count(input_ids=row)["count"] for row in rows.tolist()], dtype=np.int64)

    return count
