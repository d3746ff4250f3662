"""Paragraphs of the user's own text, with their number of repeats in it.

In every document paragraphs lie side by side, from its first token on.
How often a paragraph repeats is counted over every offset of every document, so that a repeat that starts
elsewhere counts as well. Hashes of 64 bits are compared: equal passages are always found, and different ones
pass as equal once in 2**64 pairs. The tokens lie in a file, so memory grows only with the number of
paragraphs.

Some documents come with the number of times that the model saw them, such as those inserted into Hubble's
training. Each gives one paragraph, its first tokens. They are held in memory.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Int, UInt64
from numpy.lib.stride_tricks import sliding_window_view

from memloc.run.errors import InputError

if TYPE_CHECKING:
    from transformers import BatchEncoding, PreTrainedTokenizerBase

BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that its powers have inverses modulo 2**64
END = -1  # ends a document; it is no token, and a window that holds it is no paragraph
N_CHARACTERS = 2**17  # characters that are tokenised at a time
BESIDE, N_TRIED = 200, 100  # characters on each side of a cut that are compared, and cuts that are tried
BLOCK = 2**18  # windows that are hashed at a time


class Stream(NamedTuple):
    """Tokenised documents one after the other, each followed by `END`, and the paragraphs cut from them."""

    tokens: Int[np.ndarray, "token"]
    starts: Int[np.ndarray, "paragraph"]
    length: int

    def windows(self, starts: Int[np.ndarray, "row"]) -> Int[np.ndarray, "row token"]:
        """The tokens of a paragraph that begins at each of the places."""
        return sliding_window_view(self.tokens, self.length)[starts]


def tokenised(
    texts: Iterable[str], tokenizer: "PreTrainedTokenizerBase", read: Callable[[int], None] = lambda n: None
) -> Iterator[list[int]]:
    """Token ids of each text, without special tokens. Memory: some texts, or the longest one and its ids.

    `read` is told now and then how many characters are done.
    """
    n = 0
    for *short, last in _batched(texts):
        if short:
            yield from tokenizer(short, add_special_tokens=False, return_attention_mask=False)["input_ids"]
            n += sum(map(len, short))
        parts = []
        for begin, part in encoded(last, tokenizer):
            read(n + begin)
            parts.append(np.array(part["input_ids"], np.int32))
        yield np.concatenate(parts)
        n += len(last)


def encoded(text: str, tokenizer: "PreTrainedTokenizerBase") -> Iterator[tuple[int, "BatchEncoding"]]:
    """A text as encodings of its parts, each with its first character. They take 150 bytes a character.

    A part has about `N_CHARACTERS` and ends before white space, where tokens beside its end are the same
    without the cut. If they never are, as where a tokenizer puts a mark before every text, the rest is one.
    """

    def ids(some: str) -> list[int]:
        return tokenizer(some, add_special_tokens=False)["input_ids"]

    def harmless(at: int) -> bool:
        before, behind = text[at - BESIDE : at], text[at : at + BESIDE]
        return ids(before) + ids(behind) == ids(before + behind)

    begin, end = 0, None
    while end != len(text):
        ends = (gap.start() for gap in re.compile(r"(?<=\S)\s").finditer(text, begin + N_CHARACTERS))
        end = next(filter(harmless, islice(ends, N_TRIED)), len(text))
        yield begin, tokenizer(text[begin:end], add_special_tokens=False)
        begin = end


def _batched(texts: Iterable[str]) -> Iterator[list[str]]:
    """Texts in lists of about `N_CHARACTERS` together; a longer text comes by itself."""
    batch, size = [], 0
    for text in texts:
        batch.append(text)
        size += len(text)
        if size >= N_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def write_stream(
    texts: Iterable[Sequence[int]], length: int, file: BinaryIO
) -> tuple[Stream, Int[np.ndarray, "document"]]:
    """Write tokenised documents to an empty file, 4 bytes a token, and cut them into paragraphs.

    Paragraphs of `length` tokens lie side by side. Memory: the longest document, and 8 bytes per paragraph
    and document; the tokens stay in the file.

    Returns:
        The stream, and the place in it where each document begins.

    Raises:
        InputError: no document is as long as a paragraph.
    """
    starts, begins, written = [], [], 0
    for ids in texts:
        file.write(np.ascontiguousarray(ids, np.int32))
        file.write(np.int32(END).tobytes())
        starts.append(written + np.arange(0, len(ids) - length + 1, length))
        begins.append(written)
        written += len(ids) + 1
    if not sum(map(len, starts)):
        raise InputError(f"no document has {length} tokens: give longer text, or ask for shorter paragraphs")
    file.flush()
    return Stream(np.memmap(file, np.int32, mode="r"), np.concatenate(starts), length), np.array(begins)


def window_hashes(tokens: Int[np.ndarray, "token"], length: int) -> UInt64[np.ndarray, "window"]:
    """Polynomial hash, modulo 2**64, of every window: sum over its tokens t_k of (t_k + 2) * BASE**k.

    A difference of running sums, divided by the power at its start, gives the sum of a window.
    """
    terms = tokens.astype(np.uint64) + np.uint64(2)
    powers = np.full(len(terms), BASE)
    powers[:1] = 1
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms * np.multiply.accumulate(powers))])
    inverse = np.full(max(len(terms) - length + 1, 0), np.uint64(pow(int(BASE), -1, 2**64)))
    inverse[:1] = 1
    return (sums[length:] - sums[: len(inverse)]) * np.multiply.accumulate(inverse)


def block_hashes(stream: Stream) -> Iterator[tuple[int, UInt64[np.ndarray, "window"]]]:
    """Blocks of hashes of all windows: the place of a block's first window, and its hashes."""
    for start in range(0, len(stream.tokens) - stream.length + 1, BLOCK):
        yield start, window_hashes(stream.tokens[start : start + BLOCK + stream.length - 1], stream.length)


def paragraph_hashes(stream: Stream) -> UInt64[np.ndarray, "paragraph"]:
    """Hash of every paragraph of the stream."""
    parts = []
    for start, hashes in block_hashes(stream):
        first, last = np.searchsorted(stream.starts, (start, start + BLOCK))
        parts.append(hashes[stream.starts[first:last] - start])
    return np.concatenate(parts)


def distinct(stream: Stream) -> tuple[Stream, Int[np.ndarray, "paragraph"]]:
    """The stream with only the first of equal paragraphs, and each given paragraph's number in that stream.

    The order of the text stays. Memory: some 60 bytes per paragraph.
    """
    number, _ = pd.factorize(paragraph_hashes(stream))
    _, first = np.unique(number, return_index=True)
    return stream._replace(starts=stream.starts[first]), number


def occurrences(
    stream: Stream,
) -> Iterator[tuple[Int[np.ndarray, "occurrence"], Int[np.ndarray, "occurrence"]]]:
    """Where the distinct paragraphs occur in the documents, at any offset: numbers and ascending places.

    They come in blocks of places. Memory: some 50 bytes per paragraph.
    """
    known = pd.Index(paragraph_hashes(stream))
    for start, hashes in block_hashes(stream):
        paragraphs = known.get_indexer(hashes)
        found = np.flatnonzero(paragraphs >= 0)
        yield paragraphs[found], start + found


def count_repeats(stream: Stream, end: float = np.inf) -> Int[np.ndarray, "paragraph"]:
    """How often each paragraph begins in the documents, at any place before `end`; some may be equal."""
    firsts, number = distinct(stream)
    counts = np.zeros(len(firsts.starts), dtype=np.int64)
    for paragraphs, at in occurrences(firsts):
        counts += np.bincount(paragraphs[: np.searchsorted(at, end)], minlength=len(counts))
    return counts[number]


def first_paragraphs(
    documents: Iterable[tuple[Sequence[int], int]], length: int
) -> tuple[Int[np.ndarray, "paragraph token"], Int[np.ndarray, "paragraph"], Int[np.ndarray, "document"]]:
    """Paragraphs of documents that come with counts: their first `length` tokens.

    Returns:
        The distinct paragraphs, how often each was seen (counts of documents that begin alike are added up),
        and the number of the paragraph that each document begins with (-1: the document is too short).

    Raises:
        InputError: no document is as long as a paragraph.
    """
    rows = pd.DataFrame([(tuple(ids[:length]), count) for ids, count in documents], columns=["head", "count"])
    whole = rows["head"].map(len) == length
    if not whole.any():
        raise InputError(f"no document has {length} tokens: give longer text, or ask for shorter paragraphs")
    rows["number"] = -1
    rows.loc[whole, "number"], heads = pd.factorize(rows["head"][whole])
    counts = rows["count"][whole].groupby(rows["number"]).sum()
    return np.array([*heads], np.int64), counts.to_numpy(np.int64), rows["number"].to_numpy()


def joined(documents: Iterable[Sequence[int]], length: int) -> Stream:
    """Documents of any lengths as one stream without paragraphs, to look for runs of `length` tokens in."""
    tokens = np.array([token for ids in documents for token in (*ids, END)], dtype=np.int32)
    return Stream(tokens, np.arange(0), length)
