"""Halves of a text: planted copies are left out together, and nothing else is."""

import numpy as np
import pandas as pd
import pytest

from memloc.data.halves import apart, copies_of, half_texts, halves, within
from memloc.data.own_text import END, joined
from memloc.data.packing import windows_without

LENGTH = 100


@pytest.mark.parametrize("n_models", [2, 5, 12])
def test_every_paragraph_is_in_half_of_the_models(n_models):
    drawn = halves(n_models, 300, seed=1)
    assert drawn.shape == (n_models, 300) and (drawn.sum(axis=0) == n_models // 2).all()
    assert (halves(n_models, 300, seed=1) == drawn).all() and (halves(n_models, 300, seed=2) != drawn).any()


def test_two_paragraphs_are_together_by_chance_alone():
    drawn = halves(12, 2000, seed=0)
    together = (drawn[:, ::2] == drawn[:, 1::2]).mean()
    assert abs(together - 0.5) < 0.02


def made(*documents, ids=None):
    """Table `training_stream` of documents, and its text."""
    missing = pd.array([pd.NA] * len(documents) if ids is None else ids, "Int64")
    stream = pd.DataFrame({"id": missing, "tokens": list(documents)})
    return stream, joined(stream["tokens"], LENGTH).tokens


def paragraphs(*tokens):
    return pd.DataFrame({"id": 7 + np.arange(len(tokens)), "tokens": list(tokens)})


@pytest.fixture
def texts():
    return np.random.default_rng(0).integers(1, 1_000, size=(6, LENGTH))


def test_copies_are_the_closest_of_those_that_overlap(texts):
    """A file holds a paragraph twice, the next one a near-copy behind three tokens; half of it is none."""
    own, other, third = texts[:3]
    near = np.where(np.arange(LENGTH) % 25 == 3, 1_001, own)
    stream, text = made(np.concatenate([own, own, other]), np.concatenate([third[:3], near, third]), own[:60])
    assert copies_of(paragraphs(own, other, third), stream, text) == [[0, 100, 304], [200], [404]]


def test_a_document_that_is_written_as_a_paragraph_is_a_copy_however_many_tokens_are_replaced(texts):
    own, far, other = texts[:3]
    stream, text = made(far, own, other, ids=[7, 7, 8])
    assert copies_of(paragraphs(own, other), stream, text) == [[0, 101], [202]]


def test_paragraphs_that_are_drawn_share_no_token_and_recited_ones_choose_first(texts):
    """One file cuts the copied text in two paragraphs, elsewhere it lies at another offset."""
    one, two, *others, last = texts
    shifted = np.concatenate([others[0][:50], one, two, others[0][50:]])
    stream, _ = made(np.append(one, two), shifted, np.append(others[1], one), last)
    cut = paragraphs(one, two, *shifted.reshape(-1, LENGTH), others[1], last)

    def drawn(*recited):
        rows = half_texts(cut.assign(recited=cut["id"].isin(recited)), stream, seed=0)
        assert (np.diff(np.sort(rows["place"])) >= LENGTH).all()
        return rows.groupby("id")["place"].agg(list).to_dict()

    alone = {12: [502], 13: [703]}
    assert drawn(7, 8) == {7: [0, 251, 602], 8: [100, 351]} | alone
    assert drawn(10) == {9: [201], 10: [50, 301], 11: [401]} | alone


def test_rows_are_chosen_as_a_plain_loop_chooses_them():
    random = np.random.default_rng(1)
    copies = [random.choice(380, size=random.integers(0, 4), replace=False).tolist() for _ in range(60)]
    chosen, taken = [], set()
    for row in range(60):
        own = {token for place in copies[row] for token in range(place, place + 20)}
        if own and not own & taken:
            chosen.append(row)
            taken |= own
    assert apart(copies, range(60), 400, 20) == chosen and len(chosen) > 5


def test_what_is_left_out_is_nowhere_and_the_others_keep_their_order():
    paragraphs = pd.Series([[10 * name + place for place in range(3)] for name in range(1, 6)], range(1, 6))
    ids = [1, 3, 2, 1, 5, 4, 1, 2, 2, 5]
    stream = pd.DataFrame({"id": ids, "tokens": paragraphs.loc[ids].tolist()})
    rows = windows_without(stream, np.repeat(np.isin(ids, [1, 5]), 4), end_of_text=0, context=8)
    kept = [name for name in ids if name not in (1, 5)]
    text = [token for name in kept for token in (*paragraphs[name], 0)]
    assert rows.shape[1] == 8 and rows.ravel()[: len(text)].tolist() == text
    assert not np.isin(rows, [*paragraphs[1], *paragraphs[5]]).any()
    whole = windows_without(stream, np.zeros(40, dtype=bool), 0, 8)
    assert whole.size >= 4 * len(stream) and (whole == 10).sum() == 3


def test_one_end_of_text_stands_where_a_file_has_a_hole():
    stream = pd.DataFrame({"tokens": [[1, 2, 3, 4, 5, 6], [7, 8, 9], [10, 11]]})
    text = joined(stream["tokens"], 2).tokens
    left_out = within([2, 7], len(text), 2)
    assert text[left_out].tolist() == [3, 4, 7, 8]
    rows = windows_without(stream, left_out, end_of_text=0, context=12)
    assert rows.tolist() == [[1, 2, 0, 5, 6, 0, 9, 0, 10, 11, 0, 0]]
    assert END not in rows
