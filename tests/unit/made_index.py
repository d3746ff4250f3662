"""An infini-gram index of one shard, made as docs/own-text.md says."""

import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np


def write_documents(documents: Iterable[Sequence[int]], width: int, folder: Path) -> None:
    """The token ids of documents, in so many bytes each, and where each begins."""
    type_ = np.dtype(f"<u{width}")
    folder.mkdir(parents=True)
    with (folder / "tokenized.0").open("wb") as tokens, (folder / "offset.0").open("wb") as offsets:
        for ids in documents:
            offsets.write(np.uint64(tokens.tell()).tobytes())
            tokens.write(np.array([np.iinfo(type_).max, *ids], dtype=type_).tobytes())


def build(folder: Path, documents: Iterable[Sequence[int]], width: int) -> None:
    """The index, sorted by infini-gram."""
    write_documents(documents, width, folder)
    command = [sys.executable, "-m", "infini_gram.indexing", "--token_dtype", f"u{8 * width}", "--cpus", "1"]
    places = ["--data_dir", str(folder), "--save_dir", str(folder)]
    subprocess.run([*command, *places, "--mem", "1", "--ulimit", "1024"], check=True, capture_output=True)
