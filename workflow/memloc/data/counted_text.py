"""Documents that come with how often the model saw each, such as those inserted into Hubble's training.

A document gives one paragraph, its first tokens. Memory is that of all documents.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Int

from memloc.data.own_text import END, Stream
from memloc.data.text_files import TextError


def first_paragraphs(
    documents: Iterable[tuple[Sequence[int], int]], length: int
) -> tuple[Int[np.ndarray, "paragraph token"], Int[np.ndarray, "paragraph"], Int[np.ndarray, "document"]]:
    """The first `length` tokens of each document that has as many, how often they were seen, and which of
    these paragraphs each document begins with (-1: too short).

    Counts of documents that begin alike are added up.

    Raises:
        TextError: no document is as long as a paragraph.
    """
    counts: dict[tuple[int, ...], int] = {}
    heads: list[tuple[int, ...]] = []
    for ids, count in documents:
        heads.append(tuple(ids[:length]))
        if len(ids) >= length:
            counts[heads[-1]] = counts.get(heads[-1], 0) + count
    if not counts:
        raise TextError(f"no document has {length} tokens: give longer text, or set paragraph.length lower")
    number = {head: row for row, head in enumerate(counts)}
    begins_with = np.array([number.get(head, -1) for head in heads])
    return np.array(list(counts), np.int64), np.array(list(counts.values()), np.int64), begins_with


def joined(documents: Iterable[Sequence[int]], length: int) -> Stream:
    """Documents one after the other, of any lengths, in which runs of `length` tokens are looked for."""
    tokens = np.array([token for ids in documents for token in (*ids, END)], dtype=np.int32)
    return Stream(tokens, np.arange(0), length)
