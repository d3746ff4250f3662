"""The published subset of the Pile of Carlini et al. (2022), as far as it is used (paper 3.1).

For every paragraph length n the release holds `prompts_{n}.npy` [N, n], token ids of GPT-2, and
`counts_{n}.npy` [N], how often each paragraph occurs in the training corpus. N is 56,000 for n = 100.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from memloc.data.token_arrays import INTEGERS, read_array, require
from memloc.run.errors import InputError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def release_files(length: int) -> tuple[str, str]:
    """Names of the two files for paragraphs of `length` tokens: their tokens and their counts."""
    return f"prompts_{length}.npy", f"counts_{length}.npy"


def read_release(folder: Path | str, length: int) -> pd.DataFrame:
    """Paragraphs in the release's order: `id` (row number), `count`, `tokens` (array of `length` ids).

    Rows of count 0 failed to parse when the release was made. They are kept, for the filters to drop.

    Raises:
        InputError: a file is missing, damaged, pickled or of another shape or type; names file and finding.
    """
    files = [str(Path(folder, name)) for name in release_files(length)]
    prompts, counts = arrays = [read_array(file, "", "data.location") for file in files]
    for array in arrays:
        whole = array.kind == INTEGERS and array.values.min(initial=0) >= 0
        require(whole, array, f"{INTEGERS} of 0 or more")
    n = prompts.values.shape[:1]
    require(prompts.values.shape == (*n, length), prompts, f"rows of {length} tokens")
    require(counts.values.shape == n, counts, f"shape {[*n]}")
    tokens = list(np.asarray(prompts.values, np.int64))
    return pd.DataFrame(
        {"id": np.arange(len(tokens)), "count": np.asarray(counts.values, np.int64), "tokens": tokens}
    )


def retokenized(paragraphs: pd.DataFrame, tokenizer: "PreTrainedTokenizerBase", length: int) -> pd.DataFrame:
    """Paragraphs cut anew from `text`: `id`, `count` and the first `length` tokens of another tokenizer.

    Paragraphs that failed to parse (count 0), whose bytes are not text, or that have fewer than `length`
    tokens are left out. A count stays the count of the whole published paragraph; its shortened version
    occurs at least as often.

    Raises:
        InputError: no paragraph has `length` tokens.
    """
    whole = (paragraphs["count"] > 0) & ~paragraphs["text"].str.contains("\ufffd")
    kept = paragraphs.loc[whole, ["id", "count"]]
    tokens = tokenizer(list(paragraphs["text"][whole]), add_special_tokens=False)["input_ids"]
    kept["tokens"] = [np.array(ids[:length], dtype=np.int64) for ids in tokens]
    kept = kept[kept["tokens"].map(len) == length].reset_index(drop=True)
    if kept.empty:
        raise InputError(
            f"no published paragraph has {length} tokens of the model's: raise data.retokenize.length"
        )
    return kept
