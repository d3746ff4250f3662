"""Texts that judge have chosen nothing: no group shares a paragraph with another, or with a sample."""

import numpy as np
import pandas as pd
import pytest
import torch

from memloc.model.subject import Subject
from memloc.scoring.held_out import Group, held_out_texts, judging_texts, paired_texts, with_own_continuations
from memloc.scoring.paragraph_scores import teacher_forced

GROUPS = ("memorized", "non_memorized", "held_out", "means")


def made_up(n_memorized: int = 30, n_other: int = 60) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Of every ten paragraphs three are sampled, two for rare tokens, one of them for both."""
    ids = 100 + np.arange(n_memorized + n_other)
    sets = pd.DataFrame({"id": ids, "set": np.where(ids < 100 + n_memorized, "memorized", "non_memorized")})
    sets = sets.assign(sampled=ids % 10 < 3, sampled_rare_tokens=np.isin(ids % 10, (2, 3)))
    paragraphs = pd.DataFrame({"id": ids, "tokens": [[number, number + 1] for number in ids]})
    return paragraphs, sets


def with_pairs(n: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Paragraph 100 + k is paired with 130 + k, which is partly memorized; of these, all are sampled."""
    paragraphs, sets = made_up()
    sets["pair"] = (sets["id"] - 100) % 30
    sets["pair"] = sets["pair"].where((sets["pair"] < n) & (sets["id"] < 160)).astype("Int64")
    other = sets["pair"].notna() & (sets["id"] >= 130)
    sets.loc[other, ["set", "sampled", "sampled_rare_tokens"]] = ["partly_11_29", True, False]
    return paragraphs, sets.assign(continuation=[[9]] * len(sets))


def drawn(n_paragraphs: int = 8, n_held_out: int = 6, seed: int = 0, **sizes: int) -> dict[str, Group]:
    return judging_texts(*made_up(**sizes), seed, n_paragraphs=n_paragraphs, n_held_out=n_held_out)


def test_groups_are_of_their_sets_unseen_and_apart():
    groups = drawn()
    assert [len(groups[name].ids) for name in GROUPS] == [8, 8, 6, 6]
    ids = np.concatenate([group.ids for group in groups.values()])
    assert len(set(ids)) == len(ids)
    assert (ids % 10 > 3).all(), "outside of both samples"
    for name, group in groups.items():
        assert ((group.ids < 130) == (name == "memorized")).all()
        assert group.tokens[:, 0].tolist() == group.ids.tolist() and not group.used.any()


def test_where_too_few_are_unseen_seen_ones_follow_and_are_marked():
    memorized = drawn(n_paragraphs=20, n_memorized=9)["memorized"]
    assert len(memorized.ids) == 9, "all there are"
    assert memorized.used.tolist() == [False] * 5 + [True] * 4
    assert (memorized.used == (memorized.ids % 10 <= 3)).all()
    enough = drawn(n_paragraphs=20, n_memorized=10)["memorized"]
    assert len(enough.ids) == 6 and not enough.used.any(), "enough for a verdict: none is used"


def test_where_every_memorized_paragraph_is_seen_these_judge():
    memorized = drawn(n_memorized=3)["memorized"]
    assert sorted(memorized.ids) == [100, 101, 102] and memorized.used.all()


def test_held_out_texts_and_means_leave_most_unseen_paragraphs_to_judge():
    groups = drawn(n_held_out=50, n_paragraphs=50)
    assert len(groups["held_out"].ids) == len(groups["means"].ids) == 12
    assert (~groups["non_memorized"].used).sum() == 12


def test_pairs_have_the_kept_continuation_and_are_left_out_with_a_text_of_the_means():
    paragraphs, sets = with_pairs(5)
    found = paired_texts(paragraphs, sets, 1, np.array([133, 104, 155]))
    assert found.ids.tolist() == [100, 101, 102, 130, 131, 132]
    assert found.tokens.tolist() == [[id, 9] for id in found.ids]
    assert found.used.tolist() == [True] * 3 + [False] * 3, "partly memorized ones choose nothing"
    assert paired_texts(*with_pairs(0), 1, np.array([133])).tokens.shape == (0, 2)


def test_non_memorized_texts_go_on_as_the_model_continues_them(memorizing_model, memorized_tokens):
    strange = memorized_tokens.clone()
    strange[:, 5:] = 0
    group = Group(np.arange(len(strange)), strange, np.zeros(len(strange), dtype=bool))
    texts = dict.fromkeys(("memorized", "non_memorized"), group)
    own = with_own_continuations(Subject(memorizing_model, 5, 4), texts)
    assert torch.equal(own["memorized"].tokens, strange)
    assert torch.equal(own["non_memorized"].tokens[:, :5], strange[:, :5])
    em = teacher_forced(Subject(memorizing_model, 5, 100), own["non_memorized"].tokens).em
    assert (em == strange.shape[1] - 5).all() and not torch.equal(own["non_memorized"].tokens, strange)


def test_no_paragraph_to_hold_out_is_an_error():
    paragraphs, sets = made_up()
    sets.loc[sets["set"] == "non_memorized", "sampled_rare_tokens"] = True
    with pytest.raises(ValueError, match=r"no paragraph is left to hold out.*lower sets\.n_non_memorized"):
        held_out_texts(paragraphs, sets, 5, 0)
    sets.loc[sets.index[-1], ["sampled", "sampled_rare_tokens"]] = False
    assert len(held_out_texts(paragraphs, sets, 5, 0).ids) == 1
    with pytest.raises(ValueError, match="only one non-memorized paragraph"):
        judging_texts(paragraphs, sets, 0, n_paragraphs=3, n_held_out=3)
    sets.loc[sets.index[-2:], ["sampled", "sampled_rare_tokens"]] = False
    groups = judging_texts(paragraphs, sets, 0, n_paragraphs=3, n_held_out=3)
    assert {*groups["held_out"].ids, *groups["means"].ids} == set(sets["id"].iloc[-2:])
    assert len(groups["non_memorized"].ids) == 3 and groups["non_memorized"].used.all()
