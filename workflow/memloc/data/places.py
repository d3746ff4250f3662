"""Where paragraphs stand in the user's own text, and which paragraphs belong together."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import Int

from memloc.data.own_text import encoded

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def numbered(files: Sequence[str]) -> pd.DataFrame:
    """The file of each document, and the document's number in that file, from 0."""
    found = pd.DataFrame({"file": files})
    return found.assign(document=found.groupby("file", sort=False).cumcount())


def quoted(
    texts: Iterable[str],
    tokenizer: "PreTrainedTokenizerBase",
    document: Int[np.ndarray, "passage"],
    edges: Int[np.ndarray, "passage 3"],
) -> pd.DataFrame:
    """Where passages begin and end in the characters of their documents, and these to the letter.

    Args:
        texts: all documents, in order.
        document: the number of each passage's document, in order.
        edges: tokens, in order, at which its prefix begins, the prefix ends, and the passage ends.

    Returns:
        A row per passage: first_character, end_character, line (from 1), prefix, continuation.
    """
    rows, wanted = [], np.searchsorted(document, np.unique(document))
    edges_of = dict(zip(document[wanted].tolist(), np.split(edges, wanted[1:]), strict=False))
    for number, text in enumerate(texts):
        if number not in edges_of:
            continue
        n, character, own, line, counted = 0, {0: 0}, edges_of[number], 1, 0
        for begin, tokens in encoded(text, tokenizer):
            last = n + len(tokens["input_ids"])
            # A token ends where the next one begins; what a tokenizer trims off belongs to the next one.
            for edge in own[(n < own) & (own <= last)].tolist():
                character[edge] = begin + tokens.token_to_chars(edge - 1 - n).end
            if (n := last) >= own[-1, -1]:
                break
        for at in ([character[edge] for edge in edges] for edges in own.tolist()):
            line, counted = line + text.count("\n", counted, at[1]), at[1]
            rows.append((*at[1:], line, *(text[a:b] for a, b in pairwise(at))))
    return pd.DataFrame(rows, columns=["first_character", "end_character", "line", "prefix", "continuation"])


def text_frame(documents: pd.DataFrame, passages: pd.DataFrame) -> pd.DataFrame:
    """Table `texts`: how much text there is, and how much of it is in passages, seen and unseen apart.

    `documents` have file, unseen, n_short and n_tokens, as that table has them.
    """
    by = {"n_files": ("file", "nunique"), "n_documents": ("file", "size")}
    by |= {name: (name, "sum") for name in ("n_short", "n_tokens")}
    found = documents.groupby("unseen").agg(**by)
    recited = (passages["end"] - passages["start"]).groupby(passages["unseen"]).sum()
    return found.assign(n_recited=recited.reindex(found.index, fill_value=0)).reset_index()


def joined(*labels: np.ndarray) -> Int[np.ndarray, "row"]:
    """Number of each row's group, from 0. A chain of rows that share labels is one group."""
    from scipy.sparse import coo_array  # loaded where it computes, as it takes a while
    from scipy.sparse.csgraph import connected_components

    n_rows, first, edges = len(labels[0]), len(labels[0]), []
    for column in labels:
        names, number = np.unique(column, return_inverse=True)
        edges.append((np.arange(n_rows), first + number))
        first += len(names)
    rows, nodes = (np.concatenate(ends) for ends in zip(*edges, strict=True))
    graph = coo_array((np.ones(len(rows)), (rows, nodes)), shape=(first, first))
    found = connected_components(graph, directed=False)[1][:n_rows]
    return np.unique(found, return_inverse=True)[1]
