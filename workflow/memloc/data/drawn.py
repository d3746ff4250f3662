"""Docstrings of installed packages, and a training stream with known repeats: the only causal exposure.

The workflow draws how often each paragraph occurs in the stream, so `count` of table paragraphs is exact. It
is the counterpart of the duplication counts of Carlini et al. (2022) for the Pile. The stream is packed into
windows (`memloc.data.packing`). Occurrences that a window's end cuts are counted separately. So are
occurrences of the continuation at any offset, since texts share passages.
"""

import ast
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int
from transformers import PreTrainedTokenizerFast

from memloc.data import packing
from memloc.data.chosen_files import package_folder
from memloc.data.overlap import overlapping
from memloc.data.own_text import joined
from memloc.data.paragraphs import Tables
from memloc.model.token_text import line_breaks
from memloc.run.errors import InputError
from memloc.run.seeds import generator
from memloc.run.tracking import DOCUMENTED, statements
from memloc.settings.data import DrawnData
from memloc.settings.paragraph import Paragraph

MIN_CHARACTERS = 200  # shorter docstrings are left out
# A file without a long string in triple quotes is not parsed, which takes most of the time.
LONG_STRING = re.compile(rb"(?s)(\"\"\"|''')(?:(?!\1).){%d}" % MIN_CHARACTERS)


class Docstring(NamedTuple):
    """A docstring and the module that holds it."""

    text: str
    module: str


def docstrings(package: str) -> list[Docstring]:
    """Distinct long docstrings of a package, in the order of its files, which are read but not imported.

    A text that several modules hold comes once, with the first of them.

    Raises:
        InputError: no package has this name, or it is a single module.
    """
    folder = package_folder(package, "data.packages")
    found: dict[str, str] = {}
    for file in sorted(folder.rglob("*.py")):
        below = file.relative_to(folder).with_suffix("").parts
        module = ".".join([package, *below]).removesuffix(".__init__")
        for text in file_docstrings(file):
            if len(text) > MIN_CHARACTERS:
                found.setdefault(text, module)
    return [Docstring(text, module) for text, module in found.items()]


def file_docstrings(file: Path) -> list[str]:
    """Docstrings of a Python file, outer ones first; none if the file has no long one or cannot be parsed."""
    code = file.read_bytes()
    if not LONG_STRING.search(code):
        return []
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):  # packages ship files that are broken on purpose, as test data
        return []
    documented = (node for node in statements(tree) if isinstance(node, DOCUMENTED))
    return [text for node in documented if (text := ast.get_docstring(node))]


def cut_paragraphs(
    texts: list[str], tokenizer: PreTrainedTokenizerFast, length: int
) -> tuple[Int[np.ndarray, "paragraph token"], pd.DataFrame]:
    """Distinct, non-overlapping paragraphs of `length` tokens, and where each begins: the number of its
    `text`, its first token there (`start`), and the `line`, from 1, on which this token ends.
    """
    encoded = tokenizer(texts, add_special_tokens=False)["input_ids"]
    breaks = line_breaks(tokenizer)
    cut: dict[tuple[int, ...], tuple[int, int, int]] = {}
    for number, ids in enumerate(encoded):
        lines = 1 + np.cumsum(breaks[ids])
        for start in range(0, len(ids) - length + 1, length):
            cut.setdefault(tuple(ids[start : start + length]), (number, start, lines[start]))
    begins = pd.DataFrame(cut.values(), columns=["text", "start", "line"], dtype=int)
    return np.array(list(cut), dtype=np.int64).reshape(-1, length), begins


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
    """Choose `n_repeated` of `paragraphs` [paragraph, token], then `n_once` others; returns their rows.

    The continuation of each of the `n_once` occurs nowhere else in the paragraphs, at any offset, so the
    model sees it once.

    Raises:
        InputError: the text holds fewer such paragraphs than are asked for.
    """
    order = rng.permutation(len(paragraphs))
    repeated, others = order[:n_repeated], order[n_repeated:]
    length = paragraphs.shape[1]
    starts = np.arange(len(paragraphs)) * length + n_prefix
    alone = packing.occurrences(paragraphs, starts, length - n_prefix) == 1
    once = others[alone[others]][:n_once]
    if len(repeated) < n_repeated or len(once) < n_once:
        raise InputError(
            f"the text holds {len(paragraphs)} paragraphs, {alone.sum()} with a continuation of their own, "
            f"but {n_repeated} + {n_once} are wanted: lower data.n_once or data.n_repeated, or add packages "
            "to data.packages"
        )
    return np.concatenate([repeated, once])


def choose_unseen(
    paragraphs: Int[np.ndarray, "paragraph token"],
    packages: np.ndarray,
    seen: Int[np.ndarray, "seen"],
    n_unseen: int,
    n_prefix: int,
    rng: np.random.Generator,
) -> Int[np.ndarray, "unseen"]:
    """Rows of `n_unseen` paragraphs that share no run of 13 tokens with the rows `seen`.

    Each of the `packages`, which are given by paragraph, has the same share among the unseen paragraphs as
    among the seen ones. Where continuations are shorter than 13 tokens, the run is as long as they are.

    Raises:
        InputError: a package holds fewer such paragraphs than are asked for.
    """
    order = rng.permutation(np.setdiff1d(np.arange(len(paragraphs)), seen))
    if not n_unseen:
        return order[:0]
    free = order[~overlapping(paragraphs[order], joined(paragraphs[seen], paragraphs.shape[1]), n_prefix)]
    chosen = []
    for package, n in shares_of(packages[seen], n_unseen).items():
        own = free[packages[free] == package][:n]
        if len(own) < n:
            raise InputError(
                f"{package} holds {len(own)} paragraphs that share no run of tokens with the training text, "
                f"but {n} are wanted: lower data.n_unseen, data.n_once or data.n_repeated"
            )
        chosen.append(own)
    return np.concatenate(chosen)


def shares_of(groups: np.ndarray, n: int) -> dict[str, int]:
    """Divide n in proportion to the groups' sizes into whole numbers; largest remainders are rounded up."""
    names, sizes = np.unique(groups, return_counts=True)
    exact = n * sizes / sizes.sum()
    whole = exact.astype(int)
    whole[np.argsort(whole - exact, kind="stable")[: n - whole.sum()]] += 1
    return dict(zip(names.tolist(), whole.tolist(), strict=True))


def make_stream(
    texts: list[Docstring],
    tokenizer: PreTrainedTokenizerFast,
    paragraph: Paragraph,
    data: DrawnData,
    context: int,
    seed: int,
) -> Tables:
    """Draw paragraphs and their repeats, pack them into windows of `context` tokens, and draw unseen ones.

    Unseen paragraphs come last. Where a module holds a docstring, it is its file. Neither the stream nor any
    seen paragraph depends on `data.n_unseen`.

    Raises:
        InputError: the texts hold fewer paragraphs than are asked for.
    """
    paragraphs, begins = cut_paragraphs([text.text for text in texts], tokenizer, paragraph.length)
    rng = generator(seed, "stream")
    seen = choose_paragraphs(paragraphs, paragraph.prefix, data.n_repeated, data.n_once, rng)
    repeats = draw_repeats(data.n_repeated, data.n_once, data.min_repeats, data.max_repeats, rng)
    order = packing.packed_order(repeats, paragraph.length, context, rng)
    places = packing.places(len(order), paragraph.length)
    whole = packing.are_whole(places, paragraph.length, context)
    documents = written(paragraphs[seen], order, whole, tokenizer, data, generator(seed, "replaced"))
    exact = (documents == paragraphs[seen][order]).all(axis=1)
    rows = packing.windows(documents, tokenizer.eos_token_id, context)
    counts = _counts(order, exact, whole, places, rows, paragraph)

    of_text = pd.Series([text.module for text in texts])
    modules = of_text[begins["text"]].to_numpy(dtype=str)
    packages = np.array([module.split(".")[0] for module in modules])
    rng = generator(seed, "unseen")
    unseen = choose_unseen(paragraphs, packages, seen, data.n_unseen, paragraph.prefix, rng)
    chosen = np.concatenate([seen, unseen])
    # A continuation that the stream held would share a run of 13 tokens with it.
    frame = counts.reindex(range(len(chosen)), fill_value=0).rename_axis("id").reset_index()
    frame["unseen"] = frame["id"] >= len(seen)
    frame = frame.assign(near_count=None, longest_run=None, held_out=frame["unseen"], file=modules[chosen])
    frame["line"] = begins["line"].to_numpy()[chosen]
    frame["tokens"] = list(paragraphs[chosen])
    frame["text"] = tokenizer.batch_decode(paragraphs[chosen].tolist())
    cut_from = begins.iloc[chosen].assign(id=frame["id"].to_numpy(), file=modules[chosen])
    cut_from["document"] = of_text.groupby(of_text).cumcount()[cut_from.pop("text")].to_numpy()
    stream = pd.DataFrame({"id": order, "file": None, "tokens": list(documents)})
    occurrences = pd.DataFrame({"id": order, "place": places})[exact].reset_index(drop=True)
    return Tables(frame, cut_from.reset_index(drop=True), occurrences, stream)


def written(
    seen: Int[np.ndarray, "seen token"],
    order: Int[np.ndarray, "occurrence"],
    whole: Bool[np.ndarray, "occurrence"],
    tokenizer: PreTrainedTokenizerFast,
    data: DrawnData,
    rng: np.random.Generator,
) -> Int[np.ndarray, "occurrence token"]:
    """The tokens of every occurrence, some of them replaced where `data.replaced` says so.

    Replaced tokens are at random places, and random ones of the vocabulary that the paragraph does not hold.
    One of a paragraph's whole occurrences, drawn at random, stays as it is.
    """
    shares = np.zeros(len(seen), dtype=np.int64)
    shares[: data.n_repeated] = np.resize([0, *data.replaced], data.n_repeated)
    n_replaced = shares * seen.shape[1] // 100
    drawn = rng.permutation(np.flatnonzero(whole))
    exact = drawn[np.unique(order[drawn], return_index=True)[1]]
    vocabulary = np.setdiff1d(np.arange(len(tokenizer)), tokenizer.all_special_ids)
    documents = seen[order]
    for row in np.setdiff1d(np.flatnonzero(n_replaced[order]), exact):
        n = n_replaced[order[row]]
        at = rng.choice(seen.shape[1], n, replace=False)
        documents[row, at] = rng.choice(np.setdiff1d(vocabulary, documents[row]), n)
    return documents


def _counts(
    order: Int[np.ndarray, "occurrence"],
    exact: Bool[np.ndarray, "occurrence"],
    whole: Bool[np.ndarray, "occurrence"],
    places: Int[np.ndarray, "occurrence"],
    rows: Int[np.ndarray, "window position"],
    paragraph: Paragraph,
) -> pd.DataFrame:
    """Whole and cut exact occurrences of every seen paragraph, and all occurrences of its continuation."""
    whole, cut = exact & whole, exact & ~whole
    _, first = np.unique(order[whole], return_index=True)  # every paragraph lies whole in some window
    starts = places[whole][first] + paragraph.prefix
    whole_count, cut_count = np.bincount(order[whole]), np.bincount(order[cut], minlength=len(first))
    return pd.DataFrame(
        {
            "count": whole_count + cut_count,
            "whole_count": whole_count,
            "cut_count": cut_count,
            "continuation_count": packing.occurrences(rows, starts, paragraph.continuation),
        }
    )
