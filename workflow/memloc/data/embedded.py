"""The embedded study's text: docstrings of installed packages, and a training stream with known repeats.

The number of times that a paragraph occurs in the stream is drawn, not estimated, so the `count` of the
paragraphs table is exact: the counterpart of the duplication counts of Carlini et al. (2022) for the Pile.
Its continuation may occur more often, since texts share passages: that is counted (`memloc.data.exposure`).
"""

import ast
import importlib.util
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from memloc.data.exposure import continuation_counts
from memloc.run.errors import InputError
from memloc.run.seeds import generator

END_OF_TEXT = "<|endoftext|>"
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
BLOCKS = ("body", "cases", "handlers", "orelse", "finalbody")  # fields that hold statements, in ast's order


def docstrings(package: str, min_characters: int) -> list[str]:
    """Distinct docstrings of an installed package in the order of its files, read without importing it.

    Raises:
        ModuleNotFoundError: the package is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"data.packages: {package!r} is not an installed package")
    files = sorted(Path(spec.submodule_search_locations[0]).rglob("*.py"))
    found = (text for file in files for text in source_docstrings(file.read_bytes()))
    return list(dict.fromkeys(text for text in found if len(text) > min_characters))


def source_docstrings(source: bytes) -> list[str]:
    """Docstrings of Python code, outer ones first; none of code that cannot be parsed."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # packages ship files that are broken on purpose, as test data
        return []
    documented = (node for node in _statements(tree) if isinstance(node, DOCUMENTED))
    return [text for node in documented if (text := ast.get_docstring(node))]


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """What `ast.walk` yields, in its order, without expressions: most nodes, and none with a docstring."""
    waiting: deque[ast.AST] = deque([tree])
    while waiting:
        node = waiting.popleft()
        yield node
        for block in BLOCKS:
            waiting.extend(getattr(node, block, ()))


def train_tokenizer(texts: list[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE tokenizer of the given vocabulary size, trained on the texts."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=END_OF_TEXT,
        eos_token=END_OF_TEXT,
        clean_up_tokenization_spaces=False,
    )


def cut_paragraphs(texts: list[str], tokenizer: PreTrainedTokenizerFast, length: int) -> np.ndarray:
    """Distinct, non-overlapping paragraphs of `length` tokens of the texts, [paragraph, token]."""
    encoded = tokenizer(texts, add_special_tokens=False)["input_ids"]
    cut = (
        ids[start : start + length] for ids in encoded for start in range(0, len(ids) - length + 1, length)
    )
    return np.array(list(dict.fromkeys(map(tuple, cut))), dtype=np.int64).reshape(-1, length)


def draw_repeats(
    n_repeated: int, n_once: int, min_repeats: int, max_repeats: int, rng: np.random.Generator
) -> np.ndarray:
    """How often each paragraph occurs: log-uniform for the first `n_repeated`, once for the others."""
    logs = rng.uniform(np.log(min_repeats), np.log(max_repeats + 1), n_repeated)
    repeats = np.minimum(np.exp(logs).astype(np.int64), max_repeats)
    return np.concatenate([repeats, np.ones(n_once, dtype=np.int64)])


def choose_paragraphs(
    paragraphs: np.ndarray, n_prefix: int, n_repeated: int, n_once: int, rng: np.random.Generator
) -> np.ndarray:
    """Rows of paragraphs [paragraph, token]: any `n_repeated`, then `n_once` whose continuation none shares.

    A continuation that another paragraph of the text holds at any offset could be seen more than once.

    Raises:
        InputError: the text holds fewer such paragraphs than asked for.
    """
    order = rng.permutation(len(paragraphs))
    repeated, others = order[:n_repeated], order[n_repeated:]
    alone = continuation_counts(paragraphs, np.ones(len(paragraphs), dtype=np.int64), n_prefix) == 1
    once = others[alone[others]][:n_once]
    if len(repeated) < n_repeated or len(once) < n_once:
        raise InputError(
            f"the text holds {len(paragraphs)} paragraphs, {alone.sum()} with a continuation of their own, "
            f"and {n_repeated} + {n_once} are wanted: lower data.n_once or data.n_repeated, or add packages "
            "to data.packages"
        )
    return np.concatenate([repeated, once])


def make_stream(
    texts: list[str],
    tokenizer: PreTrainedTokenizerFast,
    length: int,
    n_prefix: int,
    n_repeated: int,
    n_once: int,
    min_repeats: int,
    max_repeats: int,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw paragraphs and their repeats and shuffle all occurrences into a training stream.

    Returns:
        The paragraphs (id, count, continuation_count, tokens, text) and the stream (one paragraph id per
        occurrence).

    Raises:
        InputError: the texts hold fewer paragraphs than asked for.
    """
    paragraphs = cut_paragraphs(texts, tokenizer, length)
    rng = generator(seed, "stream")
    chosen = paragraphs[choose_paragraphs(paragraphs, n_prefix, n_repeated, n_once, rng)]
    repeats = draw_repeats(n_repeated, n_once, min_repeats, max_repeats, rng)
    stream = rng.permutation(np.repeat(np.arange(len(chosen)), repeats))
    frame = pd.DataFrame(
        {
            "id": np.arange(len(chosen)),
            "count": repeats,
            "continuation_count": continuation_counts(chosen, repeats, n_prefix),
            "tokens": list(chosen),
            "text": tokenizer.batch_decode(chosen.tolist()),
        }
    )
    return frame, pd.DataFrame({"id": stream})
