"""Filters that leave paragraphs out, with their reasons (paper A.1)."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from memloc.run.errors import InputError
from memloc.settings.filters import Filters

PARSING_FAILED = "parsing failed"


def variations(keyword: str) -> list[str]:
    """The keyword as written, in upper case and capitalised, each without and with a leading space."""
    forms = dict.fromkeys((keyword, keyword.upper(), keyword.capitalize()))
    return [space + form for form in forms for space in ("", " ")]


def not_parsed(paragraphs: pd.DataFrame) -> Bool[np.ndarray, "paragraph"]:
    """Rows of the release that could not be parsed: the model is said to have seen them, but never did."""
    seen = ~paragraphs["unseen"] & ~paragraphs["held_out"]
    return (seen & (paragraphs["count"] == 0)).to_numpy()


def n_unique(tokens: Int[np.ndarray, "paragraph token"]) -> Int[np.ndarray, "paragraph"]:
    """Number of different tokens of each paragraph."""
    return (np.diff(np.sort(tokens, axis=1), axis=1) != 0).sum(axis=1) + 1


def drop_reasons(
    tokens: Int[np.ndarray, "paragraph token"],
    failed: Bool[np.ndarray, "paragraph"],
    texts: Sequence[str],
    filters: Filters,
    encode: Callable[[str], list[int]],
) -> pd.Series:
    """Why each paragraph is dropped, null where it is kept; the first reason that applies wins.

    In order: `failed`, a row of the release that could not be parsed; a share of unique tokens below
    `min_unique`; a variation of a keyword in the paragraph's text, keywords in the given order. With
    `reference`, the filters are those of the authors' code: a paragraph with all tokens of a variation, in
    any order and place, is dropped, and so is a share of exactly `min_unique`. `encode` must add no special
    tokens.
    """
    share = n_unique(tokens) / tokens.shape[1]
    percent = f"{100 * filters.min_unique:g} % unique tokens"
    forms = [form for keyword in filters.keywords for form in variations(keyword)]
    if filters.reference:
        repetitive, words = share <= filters.min_unique, f"at most {percent}"
        wanted = {form: set(encode(form)) for form in forms}
        held = ((form for form in forms if wanted[form] <= present) for present in map(set, tokens.tolist()))
    else:
        repetitive, words = share < filters.min_unique, f"fewer than {percent}"
        held = ((form for form in forms if form in text) for text in texts)
    reasons = pd.Series([next((f"keyword: {form}" for form in each), None) for each in held], dtype="str")
    return reasons.mask(repetitive, words).mask(failed, PARSING_FAILED)


def kept_rows(ids: pd.Series, dropped: pd.Series) -> Int[np.ndarray, "kept"]:
    """Rows of the paragraphs that no filter drops.

    Raises:
        InputError: every paragraph is dropped.
    """
    kept = np.flatnonzero(~ids.isin(dropped))
    if not len(kept):
        raise InputError(
            f"all {len(ids)} paragraphs are dropped: table dropped_paragraphs says why; set "
            "filters.min_unique lower or filters.keywords to fewer words (none: []), or give other text"
        )
    return kept


def kept_pieces(pieces: Iterable[pd.DataFrame], dropped: pd.Series) -> Iterator[pd.DataFrame]:
    """The rows (id, tokens) that no filter drops, piece by piece, with tokens of their own.

    The few rows that a filter leaves would otherwise keep the tokens of their whole piece in memory.
    """
    for piece in pieces:
        kept = piece[~piece["id"].isin(dropped)]
        yield kept.assign(tokens=[tokens.copy() for tokens in kept["tokens"]])
