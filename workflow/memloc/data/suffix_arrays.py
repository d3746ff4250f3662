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
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Int

from memloc.run.errors import InputError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

PACKAGE = "infini_gram"
TYPES = {1: "u8", 2: "u16", 4: "u32"}  # of token ids, by bytes; little-endian
TOKENIZER = "tokenizer"  # folder of the tokenizer in an index that was made here
FILES = ("tokenized", "table", "offset")


class IndexFolderError(InputError):
    """An index that cannot be used."""


class Index(NamedTuple):
    """An index whose files fit each other; its folders together hold one corpus."""

    folders: list[str]
    tokenizers: list[str]  # of each folder
    files: list[str]
    width: int  # bytes per token

    @property
    def n_tokens(self) -> int:
        """Tokens and separators of the corpus."""
        sizes = (Path(file).stat().st_size for file in self.files if Path(file).stem == "tokenized")
        return sum(sizes) // self.width


def require_package(key: str) -> None:
    """IndexFolderError, naming the setting or target that needs it: infini-gram is not installed."""
    if not importlib.util.find_spec(PACKAGE):
        raise IndexFolderError(
            f"{key}: needs the package infini-gram, which is not installed: pip install infini-gram "
            "(Linux on x86_64, Python 3.11 to 3.13)"
        )


def open_index(folders: Sequence[str], tokenizer: str | None) -> Index:
    """The index that the settings name; `tokenizer` is that of folders that hold none.

    Only the sizes of files are looked at: they tell how wide a token is.

    Raises:
        IndexFolderError: no index, one that is incomplete, or whose tokenizer is unknown; names the setting.
    """
    files, tokenizers, widths = [], [], set()
    for folder in folders:
        tokens = sorted(Path(folder).glob("tokenized.*"))
        if not tokens:
            raise IndexFolderError(f"exposure.index: {folder}: no index there (tokenized.0, ..): correct it")
        for path in tokens:
            shard = [path.with_stem(name) for name in FILES]
            if missing := [file.name for file in shard if not file.is_file()]:
                raise IndexFolderError(f"exposure.index: {folder}: no {missing[0]}: fetch or make it again")
            widths.add(token_width(*shard[:2]))
            files += map(str, shard)
        own = Path(folder) / TOKENIZER
        if not own.is_dir() and tokenizer is None:
            raise IndexFolderError(
                f"exposure.tokenizer: missing: {folder} does not say which tokens its ids are: name the "
                "folder of its tokenizer"
            )
        tokenizers.append(str(own) if own.is_dir() else str(tokenizer))
    if len(widths) > 1:
        raise IndexFolderError("exposure.index: token ids of several types: name indexes of one tokenizer")
    return Index(list(folders), tokenizers, files, widths.pop())


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


def width_for(n_vocabulary: int) -> int:
    """Fewest bytes per token such that the separator, the largest number, is no token."""
    return next(width for width in TYPES if n_vocabulary < 2 ** (8 * width))


def require_same_tokens(
    ids: Int[np.ndarray, "id"],
    model: "PreTrainedTokenizerBase",
    index: "PreTrainedTokenizerBase",
    folder: str,
) -> None:
    """IndexFolderError: one of the ids is another token in the index than in the model."""
    names = (tokenizer.convert_ids_to_tokens(ids.tolist()) for tokenizer in (model, index))
    for token, ours, theirs in zip(ids.tolist(), *names, strict=True):
        if ours != theirs:
            raise IndexFolderError(
                f"exposure.index: {folder} holds tokens of another tokenizer than the model's (id {token} is "
                f"{theirs!r} there, and {ours!r} in the model): name an index in the tokens of the model"
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


def write_documents(documents: Iterable[Sequence[int]], width: int, folder: Path) -> int:
    """Write the token ids of documents into a folder as shard 0, and return their number.

    Memory: the longest document. Without documents, the shard holds one that is empty.
    """
    type_ = np.dtype(f"<u{width}")
    n_documents = place = 0
    with (folder / "tokenized.0").open("wb") as tokens, (folder / "offset.0").open("wb") as offsets:
        for ids in documents:
            offsets.write(np.uint64(place).tobytes())
            place += tokens.write(np.array([np.iinfo(type_).max, *ids], dtype=type_).tobytes())
            n_documents += 1
    if not n_documents:
        write_documents([[]], width, folder)
    return n_documents


def sort_suffixes(folder: Path, width: int, gigabytes: int) -> None:
    """Write the suffix array of a folder's shard 0, with about so much memory.

    The package sorts documents that were tokenised before. One process: with several it writes a wrong table
    for files below 100 kB. For ids of 4 bytes it counts all 2**32 possible ones, in 35 GB of memory.

    Raises:
        IndexFolderError: the package failed, such as for want of memory, or its table does not fit.
    """
    tokens = folder.resolve() / "tokenized.0"
    n_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    command = [sys.executable, "-m", f"{PACKAGE}.indexing", "--token_dtype", TYPES[width], "--cpus", "1"]
    command += ["--data_dir", str(tokens.parent), "--save_dir", str(tokens.parent)]
    command += ["--mem", str(gigabytes), "--ulimit", str(n_files)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise IndexFolderError(f"infini-gram could not sort {tokens}: {done.stderr.strip()[-2000:]}")
    token_width(tokens, tokens.with_stem("table"))
