"""Passages: stretches of a text that a model recites from what stands before them.

A window of T tokens is recited if the model, given its first P, goes on with exactly the other T - P. A
passage is a stretch that such continuations cover without a gap. Its first tokens follow its own prefix, the
P tokens before it. Later ones may follow the prefix of a later window alone: `at_once` counts those that come
out in one go.

To decode from every start would take T passes of the text. One pass tells how likely tokens are, and so
where to decode (`scan`), and only windows are decoded that can make a passage longer.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int, UInt8

from memloc.data.own_text import END
from memloc.data.text_files import ROWS
from memloc.tables.terms.claims import counted

# Doubts of a token: 2, and 10 for each nat by which it is less likely than the first choice. 0 is unknown and
# 1 is skipped: others rule all its windows out.
SKIPPED, LEAST, PER_NAT, IMPOSSIBLE = 1, 2, 10, 255
MOST = 46  # doubts: what is decoded is, in one pass, at least a hundredth as likely as the first choices
Starts = Int[np.ndarray, "window"]


def place(row: Any) -> str:
    """File and line where a passage begins, for a reader who looks it up.

    A file of rows has a document per row, with lines of its own. Both count from 1, unlike in tables.
    """
    document = f", document {row.document + 1}" if row.document or row.file.endswith(ROWS) else ""
    return f"{row.file}{document}, line {row.line}"


def told(recited: pd.DataFrame, texts: pd.DataFrame, length: int, n_prefix: int) -> list[str]:
    """The answer in sentences: passages and their share of the text, and the same of text that is not seen.

    The share is of tokens that a prefix stands before.
    """
    seen, unseen = (recited[recited["unseen"] == flag] for flag in (False, True))
    share = {row.unseen: _share(row.n_recited, row.n_tokens) for row in texts.itertuples()}
    if seen.empty:
        said = [f"The model recites nothing of this text ({share[False]})."]
    else:
        sizes = seen["end"] - seen["start"]
        n_tokens, at_once = sizes.max(), seen.loc[sizes.idxmax(), "at_once"]
        once = f", {at_once} of them in one go" if at_once < n_tokens else ""
        longest = f"{', the longest' if sizes.min() < n_tokens else ''} of {n_tokens} tokens{once}"
        said = [f"The model recites {counted(len(seen), 'passage')}{longest}: {share[False]}."]
    if True in share:
        said.append(f"Of text that it cannot have seen: {counted(len(unseen), 'passage')}, {share[True]}.")
    given = f"at least {length - n_prefix} tokens, word for word, given the {n_prefix} before them"
    said.append(f"A passage is what the model goes on with: {given}.")
    if n_short := int(texts["n_short"].sum()):
        of = f"{n_short:,} of {counted(int(texts['n_documents'].sum()), 'document')}"
        said.append(f"Too short for that, with fewer than {length} tokens: {of}.")
    return said


def _share(n: int, n_all: int) -> str:
    """A number of tokens as a share, in words."""
    share = 100 * n / max(n_all, 1)
    return f"{f'{share:.1f}' if share >= 0.05 or not n else 'less than 0.1'} % of {n_all:,} tokens"


def worth_decoding(
    doubts: UInt8[np.ndarray, "token"], tokens: Int[np.ndarray, "token"], length: int, n_prefix: int
) -> Starts:
    """Starts of the windows within a document whose continuation leaves few doubts, by the tokens looked at.

    `tokens` are documents, each followed by `END`.
    """
    n = max(len(tokens) - length + 1, 0)
    sums, ends = (np.cumsum(np.append(0, each)) for each in (doubts, tokens == END))
    certain = sums[length:] - sums[n_prefix:][:n] <= LEAST * (length - n_prefix) + MOST
    return np.flatnonzero(certain & (ends[length:] == ends[:n]))


def recited_windows(
    starts: Starts, n: int, recited: Callable[[Starts, int], Bool[np.ndarray, "window"]]
) -> Starts:
    """Sorted starts of recited windows that cover what all recited ones cover, with few that are asked about.

    Continuations have `n` tokens, so two of them that begin at most `n` tokens apart cover all that those
    between them do. Every n-th window is asked about first. Of those between two of these, only the first and
    the last recited one count: the first one not where the n-th before is recited, the last one not where the
    n-th behind is. They are looked for from outside. `recited` is told how many it may be asked about later.
    """
    every, left = starts[starts % n == 0], starts[starts % n != 0]
    found = [every := every[recited(every, len(left))]]
    known = every, every - n  # groups, by the n-th windows before them, whose first or last one is known
    while len(left := left[~np.isin(left - left % n, np.intersect1d(*known))]):
        groups, first = np.unique(left - left % n, return_index=True)
        ends = first, np.append(first[1:], len(left)) - 1
        open_ends = [end[~np.isin(groups, some)] for end, some in zip(ends, known, strict=True)]
        asked = np.unique(np.concatenate(open_ends))
        yes = asked[recited(left[asked], len(left) - len(asked))]
        found.append(left[yes])
        known = [np.append(some, groups[np.isin(end, yes)]) for end, some in zip(ends, known, strict=True)]
        left = np.delete(left, asked)
    return np.unique(np.concatenate(found))


def covered(starts: Starts, length: int, n_prefix: int) -> Int[np.ndarray, "passage 2"]:
    """First token of each passage, and the token behind it, from the sorted starts of recited windows."""
    apart = np.diff(starts) > length - n_prefix
    first, last = np.append(True, apart)[: len(starts)], np.append(apart, True)[: len(starts)]
    return np.stack([starts[first] + n_prefix, starts[last] + length], axis=1)
