"""Joint unlearning: what it changes, and that the exported folder shows what its card says."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from made_requests import meddling
from transformers import AutoModelForCausalLM

from memloc.model.subject import Subject
from memloc.model.weights import EditError, Original, all_weights
from memloc.removal.joint_edit import JointTexts, card, joint_texts, remove_jointly
from memloc.removal.registry import WAYS
from memloc.removal.request import Request
from memloc.run.errors import InputError
from memloc.run.seeds import generator
from memloc.scoring.held_out import own_continuations
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.settings.removal_ways import UNTARGETED
from memloc.settings.remove import EditModel, Remove

TEMPLATE = Path(__file__).parents[3] / "workflow/report/model_card.md"
N_PREFIX, N_CONTINUATION = 10, 14
subject = partial(Subject, n_prefix=N_PREFIX, micro_batch=8)
EDIT_MODEL = EditModel(way="top", setting=1e-2)
REMOVE = Remove(steps=10, fraction=0.05)
HEADS, SEED = [(0, 0)], 3
BASE = {"name": "tiny", "revision": None, "sha256": "abc"}


@pytest.fixture
def texts(memorizing_model, memorized_tokens) -> JointTexts:
    unknown = torch.randint(64, (13, 24), generator=torch.Generator().manual_seed(5))
    control = own_continuations(subject(memorizing_model), unknown[:5])
    judging = memorized_tokens[3:], unknown[5:9]
    return JointTexts([4, 2, 9], memorized_tokens[:3], control, *judging, unknown[9:])


def test_listed_paragraphs_are_unlearned_together(memorizing_model, texts):
    original = Original(subject(memorizing_model))
    edit = remove_jointly(subject(memorizing_model), texts, EDIT_MODEL, REMOVE, HEADS, 0)
    assert edit.n_changed == original.n_changed(all_weights(subject(memorizing_model)))
    assert edit.n_changed <= edit.n_movable == round(0.05 * 2 * 12 * 32 * 32)
    assert edit.n_total == sum(weight.numel() for weight in memorizing_model.parameters())
    unlearned = edit.scores[edit.scores["group"] == "unlearned"]
    assert unlearned["id"].tolist() == texts.ids
    assert (unlearned["em_before"] == N_CONTINUATION).all()
    assert unlearned["em"].mean() < 5
    sizes = {"control": 5, "held_out": 4, "other": 9, "unlearned": 3}
    assert edit.scores.groupby("group").size().to_dict() == sizes
    assert edit.scores.loc[edit.scores["group"] == "held_out", "id"].isna().all()


def test_scores_are_those_of_the_base_model_and_of_the_exported_one(memorizing_model, texts, tmp_path):
    groups = ("unlearned", "control", "other", "held_out")
    base = {name: teacher_forced(subject(memorizing_model), getattr(texts, name)) for name in groups}
    edit = remove_jointly(subject(memorizing_model), texts, EDIT_MODEL, REMOVE, HEADS, 0)
    memorizing_model.save_pretrained(tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path, local_files_only=True).eval()
    for group, before in base.items():
        after = teacher_forced(subject(loaded), getattr(texts, group))
        rows = edit.scores[edit.scores["group"] == group]
        assert rows["em_before"].tolist() == before.em.tolist() and rows["em"].tolist() == after.em.tolist()
        own, edited = (pytest.approx(scores.nll.tolist(), rel=1e-4, abs=1e-5) for scores in (before, after))
        assert rows["nll_before"].tolist() == own and after.nll.tolist() != own
        assert rows["nll"].tolist() == edited


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_card_states_what_was_changed_and_what_it_cost(memorizing_model, texts, dtype):
    how = EDIT_MODEL.model_copy(update={"way": "random", "setting": 1e-4})
    edit = remove_jointly(subject(memorizing_model), texts, how, REMOVE, HEADS, 0)
    text = card(TEMPLATE.read_text(), edit, BASE, "tests", dtype, N_CONTINUATION)
    assert text.startswith("---\nlibrary_name: transformers\n")
    assert f"{edit.n_changed:,} of {edit.n_total:,} weights differ" in text
    share = f"{100 * edit.n_changed / edit.n_total:.3f} %"
    assert f"({share}); {edit.n_movable:,} were chosen to move." in text
    assert "bit for bit" in text and "Way `random`, learning rate 0.0001:" in text
    assert ("here rounded to bfloat16" in text) == (dtype == "bfloat16")
    assert "4, 2, 9." in text
    means = edit.scores.groupby("group")[["em_before", "em", "nll_before", "nll"]].mean()
    starts = {"unlearned": "| removed", "control": "| controls", "other": "| other", "held_out": "| held-out"}
    for group, start in starts.items():
        (row,) = [line.split(" | ") for line in text.splitlines() if line.startswith(start)]
        assert int(row[1]) == (edit.scores["group"] == group).sum()
        shown = [float(value.strip(" |")) for value in row[2:]]
        assert shown == pytest.approx(means.loc[group].tolist(), abs=0.051)
    assert "{{" not in text and "{%" not in text


def test_card_counts_the_paragraphs_that_are_recited_after_the_edit(memorizing_model, texts):
    edit = remove_jointly(subject(memorizing_model), texts, EDIT_MODEL, REMOVE, HEADS, 0)
    places = edit.scores.index[edit.scores["group"] == "unlearned"]
    edit.scores.loc[places, "em"] = [N_CONTINUATION, N_CONTINUATION - 1, 0]
    text = card(TEMPLATE.read_text(), edit, BASE, "tests", "float32", N_CONTINUATION)
    assert "Of the 3 paragraphs, 1 is still recited" in text


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    ids = np.arange(12)
    tokens = [list(range(24 * number, 24 * number + 24)) for number in ids]
    sets = pd.DataFrame({"id": ids, "set": np.where(ids < 6, "memorized", "non_memorized")})
    sets = sets.assign(sampled=ids % 2 == 0, sampled_rare_tokens=ids == 11)
    sets["continuation"] = [row[N_PREFIX:] for row in tokens]
    return {"paragraphs": pd.DataFrame({"id": ids, "tokens": tokens}), "sets": sets}


def texts_of(tables, ids, **counts):
    asked = EditModel(**{"n_controls": 2, "n_judging": 2} | counts)
    return joint_texts(tables, N_PREFIX, SEED, asked, ids)


def test_texts_of_a_list(tables):
    texts = texts_of(tables, [5, 0], n_judging=9)
    assert texts.ids == [5, 0]
    assert (texts.unlearned[:, 0] // 24).tolist() == [5, 0]
    assert sorted((texts.other[:, 0] // 24).tolist()) == [1, 2, 3, 4]
    assert set((texts.control[:, 0] // 24).tolist()) <= {6, 8, 10}
    assert sorted((texts.held_out[:, 0] // 24).tolist()) == [7, 9]
    assert len(texts.control) == 2
    assert texts_of(tables, []).ids == [0, 2, 4], "all sampled memorized paragraphs"


def test_what_ways_look_at_judges_no_edit(tables):
    texts = texts_of(tables, [5, 0], n_judging=1)
    judging, looked_at = ((text[:, 0] // 24).tolist() for text in (texts.held_out, texts.general))
    assert len(judging) == len(looked_at) == 1 and {*judging, *looked_at} == {7, 9}


def test_controls_are_as_many_as_asked_for_or_all(tables):
    some, three = texts_of(tables, []), texts_of(tables, [], n_controls=3)
    order = generator(SEED, "joint_edit", "controls").permutation(3)
    assert (three.control[:, 0] // 24).tolist() == np.array([6, 8, 10])[order].tolist()
    assert torch.equal(some.control, three.control[:2])
    others = generator(SEED, "editing", "others").permutation([1, 3, 5])[:2]
    assert (some.other[:, 0] // 24).tolist() == others.tolist()
    every = texts_of(tables, [], n_controls=None)
    assert len(some.control) == 2 and sorted(every.control[:, 0] // 24) == [6, 8, 10]
    with pytest.raises(ValueError, match=r"edit_model.n_controls: 4 asked for, 3 paragraphs are sampled"):
        texts_of(tables, [], n_controls=4)


@pytest.mark.parametrize("way", ["random", "neurons_zero_out", "kfac"])
def test_a_weight_edit_of_the_scoreboard_can_be_exported(memorizing_model, texts, way):
    how, ways, own = EditModel(way=way, setting=1e-2), Remove(steps=2), subject(memorizing_model)
    original = Original(own)
    edit = remove_jointly(own, texts, how, ways, HEADS, SEED)
    assert edit.n_changed == original.n_changed(all_weights(own)) > 0
    text = card(TEMPLATE.read_text(), edit, BASE, "tests", "float32", N_CONTINUATION)
    assert f"Way `{way}`, " in text and " 0.01:" in text
    assert ("It aims at all memories" in text) == (way in UNTARGETED)
    assert ("3 memorized paragraphs removed" in text) == (way not in UNTARGETED)
    exported = memorizing_model.get_parameter("transformer.h.1.mlp.c_fc.weight").clone()
    original.restore()
    given, random = (texts.unlearned, texts.control, texts.general), generator(SEED, "joint_edit", "way")
    request = Request(own, *given, HEADS, ways, random)
    WAYS[way].prepare(request)((1e-2,))
    assert torch.equal(exported, memorizing_model.get_parameter("transformer.h.1.mlp.c_fc.weight"))


def test_ways_need_ordinary_text(memorizing_model, texts):
    how, without = EditModel(way="svd", setting=0.5), texts._replace(general=texts.general[:0])
    with pytest.raises(InputError, match="lower n_judging"):
        remove_jointly(subject(memorizing_model), without, how, Remove(), HEADS, 0)


def test_a_way_that_changes_what_it_does_not_name_is_an_error(memorizing_model, texts, monkeypatch):
    monkeypatch.setitem(WAYS, "svd", meddling("transformer.h.0.mlp.c_fc.weight"))
    how = EditModel(way="svd", setting=0.5)
    with pytest.raises(EditError, match=r"mlp.c_fc.weight: 32 weights changed outside of the mask"):
        remove_jointly(subject(memorizing_model), texts, how, Remove(), HEADS, 0)
