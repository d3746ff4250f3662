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
