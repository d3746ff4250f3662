"""The published subset of the Pile of Carlini et al. (2022), as far as it is used (paper 3.1).

For every paragraph length n the release holds `prompts_{n}.npy` [N, n], token ids of GPT-2, and
`counts_{n}.npy` [N], how often each paragraph occurs in the training corpus. N is 56,000 for n = 100.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from memloc.run.errors import InputError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class ReleaseError(InputError):
    """A file of the release cannot be read or does not hold what it should."""


def release_files(length: int) -> tuple[str, str]:
    """Names of the two files for paragraphs of `length` tokens: their tokens and their counts."""
    return f"prompts_{length}.npy", f"counts_{length}.npy"


def read_release(folder: Path | str, length: int) -> pd.DataFrame:
    """Paragraphs in the release's order: `id` (row number), `count`, `tokens` (array of `length` ids).

    Rows of count 0 failed to parse when the release was made. They are kept, for the filters to drop.

    Raises:
        ReleaseError: a file is missing, damaged, pickled or of another shape or type; names file and finding.
    """
    prompts_file, counts_file = (Path(folder) / name for name in release_files(length))
    prompts, counts = _load(prompts_file), _load(counts_file)
    _require(prompts.ndim == 2 and prompts.shape[-1] == length, prompts_file, f"shape [N, {length}]", prompts)
    _require(counts.shape == prompts.shape[:1], counts_file, f"shape [{len(prompts)}]", counts)
    tokens = list(prompts.astype(np.int64))
    return pd.DataFrame({"id": np.arange(len(tokens)), "count": counts.astype(np.int64), "tokens": tokens})


def retokenized(paragraphs: pd.DataFrame, tokenizer: "PreTrainedTokenizerBase", length: int) -> pd.DataFrame:
    """Paragraphs cut anew from `text`: `id`, `count` and the first `length` tokens of another tokenizer.

    Paragraphs that failed to parse (count 0), whose bytes are not text, or that have fewer than `length`
    tokens are left out. A count is still that of the whole published paragraph: what is left of it occurs at
    least as often.

    Raises:
        ReleaseError: no paragraph has `length` tokens.
    """
    whole = (paragraphs["count"] > 0) & ~paragraphs["text"].str.contains("\ufffd")
    kept = paragraphs.loc[whole, ["id", "count"]]
    tokens = tokenizer(list(paragraphs["text"][whole]), add_special_tokens=False)["input_ids"]
    kept["tokens"] = [np.array(ids[:length], dtype=np.int64) for ids in tokens]
    kept = kept[kept["tokens"].map(len) == length].reset_index(drop=True)
    if kept.empty:
        raise ReleaseError(
            f"no published paragraph has {length} tokens of the model's: raise data.retokenize.length"
        )
    return kept


def _load(path: Path) -> np.ndarray:
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ReleaseError(f"{path}: expected a NumPy array file, got: {error}") from error
    _require(np.issubdtype(values.dtype, np.integer), path, "integers", values)
    _require(values.min(initial=0) >= 0, path, "no negative numbers", values)
    return values


def _require(holds: bool, file: Path, expected: str, values: np.ndarray) -> None:
    if not holds:
        shape = [*values.shape]
        raise ReleaseError(
            f"{file}: expected {expected}, got {values.dtype} of shape {shape}: {values.flat[:5]}"
        )
