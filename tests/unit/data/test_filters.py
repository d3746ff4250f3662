"""Paragraphs are dropped for the right reason."""

import numpy as np
import pandas as pd
import pytest

from memloc.data.filters import drop_reasons, kept_pieces, kept_rows, n_unique, not_parsed, variations
from memloc.run.errors import InputError
from memloc.settings.filters import Filters

VOCABULARY = {" a": 1, "href": 2, "HR": 3, "EF": 4, " href": 5, "Href": 6, " Href": 7}


def encode(text):
    """Tokens of the keyword "href": one for every variation, but two for those in upper case."""
    return [3, 4] if text.strip() == "HREF" else [VOCABULARY[text]]


def reasons(tokens, texts=None, failed=None, **options):
    tokens, filters = np.array(tokens), Filters(keywords=["href"], **options)
    failed = np.zeros(len(tokens), bool) if failed is None else np.array(failed)
    found = drop_reasons(tokens, failed, texts or [""] * len(tokens), filters, encode)
    return [None if pd.isna(reason) else reason for reason in found]


def test_variations_of_a_keyword():
    assert variations("href") == ["href", " href", "HREF", " HREF", "Href", " Href"]
    words = ("TripAdvisor", "TRIPADVISOR", "Tripadvisor")
    assert variations("TripAdvisor") == [space + word for word in words for space in ("", " ")]
    assert variations("all rights")[4:] == ["All rights", " All rights"]


@pytest.mark.parametrize("dtype", [np.int64, np.uint16])
def test_unique_tokens_are_counted_as_a_set_does(dtype):
    tokens = np.random.default_rng(0).integers(0, 60_000, (50, 100)) % np.arange(1, 51)[:, None]
    assert n_unique(tokens.astype(dtype)).tolist() == [len(set(row)) for row in tokens.tolist()]


def test_share_of_unique_tokens_at_the_limit():
    half, less = [8, 8, 9, 9], [9, 9, 9, 9]
    assert reasons([half, less]) == [None, "fewer than 50 % unique tokens"]
    assert reasons([half, less], reference=True) == ["at most 50 % unique tokens"] * 2
    assert reasons([[8, 8, 9, 10]], reference=True) == [None]
    assert reasons([half], min_unique=0.6) == ["fewer than 60 % unique tokens"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<a href=", "keyword: href"),
        ("xhrefx", "keyword: href"),
        ("HREF", "keyword: HREF"),
        ("Hrefs", "keyword: Href"),
        ("hReF h-ref", None),
    ],
)
def test_keyword_in_the_text(text, reason):
    assert reasons([[8, 9, 10, 11]], [text]) == [reason]


@pytest.mark.parametrize(
    ("tokens", "reason"),
    [
        ([8, 9, 10, 2], "keyword: href"),
        ([5, 9, 10, 11], "keyword:  href"),
        ([4, 9, 10, 3], "keyword: HREF"),  # all tokens of it, in another order and apart
        ([4, 9, 10, 11], None),
    ],
)
def test_keyword_among_the_tokens(tokens, reason):
    assert reasons([tokens], ["href"], reference=True) == [reason]


def test_first_reason_wins():
    assert reasons([[0, 0, 0, 0]], ["href"], [True]) == ["parsing failed"]
    assert reasons([[9, 9, 9, 9]], ["href"]) == ["fewer than 50 % unique tokens"]
    assert reasons([[8, 9, 10, 11]], ["HREF Href href"]) == ["keyword: href"]


def test_what_no_filter_drops_is_kept():
    ids, dropped = pd.Series([5, 3, 8, 1]), pd.Series([8, 5])
    assert kept_rows(ids, dropped).tolist() == [1, 3]
    with pytest.raises(InputError, match=r"all 4 paragraphs .*filters\.min_unique.*filters\.keywords"):
        kept_rows(ids, ids)


def test_kept_rows_do_not_hold_the_tokens_of_dropped_ones():
    tokens = np.arange(20).reshape(5, 4)
    piece = pd.DataFrame({"id": range(5), "tokens": list(tokens)})
    (kept,) = kept_pieces([piece], pd.Series([0, 3, 4]))
    assert kept["id"].tolist() == [1, 2] and np.array_equal(np.stack(kept["tokens"]), tokens[1:3])
    assert not any(np.shares_memory(own, tokens) for own in kept["tokens"])


def test_only_a_row_that_the_model_should_have_seen_and_never_did_was_not_parsed():
    """Paragraphs of held-out files may have near-copies, and are not unseen then."""
    rows = [(0, False, False), (3, False, False), (0, True, True), (0, False, True), (2, False, True)]
    given = pd.DataFrame(rows, columns=["count", "unseen", "held_out"])
    assert not_parsed(given).tolist() == [True, False, False, False, False]
