"""Models that never saw some paragraphs, by the rules of a study that asks for them.

Two are trained without half of the paragraphs, one without those that are removed.
"""

import shutil

import numpy as np
import pytest
from jobs import STORED, made, removal_settings, settings
from safetensors.numpy import load_file

from read_tables import read

N_MODELS = 2
HALVES = {"draw_halves", "train_halves", "compare_halves", "counterfactual"}
OWN = {*HALVES, "retrain", "remove", "removal", "claims"}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The stored study, three more trainings, two ways to remove, and figures."""
    folder = tmp_path_factory.mktemp("never-seen")
    given = settings(counterfactual={"n_models": N_MODELS})
    given["remove"] = removal_settings(ways=["top", "retrained"])
    given["model"]["batch"] *= 8  # models of other text need not recite: fewer steps do
    shutil.copytree(STORED, folder / "results/stored")
    return made(folder, given, "counterfactual", "removal", "claims", chosen=OWN.__contains__)


def test_every_model_scores_all_that_is_drawn_or_unseen_and_is_trained_on_half(results):
    scores, paragraphs = read(results, "half_scores"), read(results, "paragraphs").set_index("id")
    kept = paragraphs.loc[read(results, "scores")["id"]]
    drawn, unseen = set(read(results, "half_texts")["id"]), set(kept.index[kept["unseen"]])
    assert all(set(own["id"]) == drawn | unseen for _, own in scores.groupby("model"))
    assert drawn <= set(kept.index) - unseen and len(drawn) > 0.9 * (len(kept) - len(unseen))
    times = scores.groupby("id")["trained"].sum()
    assert (times[[*drawn]] == N_MODELS // 2).all() and (times[[*unseen]] == 0).all()


def test_the_copies_of_a_drawn_paragraph_are_its_documents(results):
    stream, texts = read(results, "training_stream"), read(results, "half_texts")
    begins = (stream["tokens"].map(len) + 1).cumsum().shift(fill_value=0)
    drawn = stream["id"].isin(texts["id"])
    assert set(texts["place"]) == set(begins[drawn]) and len(texts) == drawn.sum()


def test_training_on_repeated_paragraphs_lowers_their_nll(results):
    table = read(results, "counterfactual")
    assert table["nll_difference"][table["repeats"] > 1].mean() < -0.3
    assert (table["n_with"] + table["n_without"] == N_MODELS).all() and table["nll_low"].isna().all()
    assert table["nll_difference"][table["repeats"] == 0].isna().all()


def test_a_recited_paragraph_has_a_kind_where_models_that_saw_it_recite_it_too(results):
    table = read(results, "counterfactual")
    recited = table["kind_by_rule"].notna()
    assert (recited == (table["em"] == table["em"].max())).all() and recited.any()
    assert (table["kind"].notna() == recited & (table["recited_with"] >= 0.5)).all()


def test_figure_and_verdicts_are_made_and_nothing_else_is_left(results):
    claims = read(results, "claims")
    assert "error" not in set(claims["verdict"])
    reasons = claims.loc[claims["topic"] == "counterfactual", "reason"]
    assert len(reasons) == 4 and reasons.str.startswith("fewer than 6 models were trained without").all()
    assert (results / "figures/counterfactual.png").stat().st_size > 1000
    assert not list(results.glob("shards/**/*.safetensors"))


def test_it_is_another_model_that_knows_others_better_than_the_removed_paragraphs(results):
    removed, judging = read(results, "removal"), read(results, "removal_damage")
    nll = removed[removed["mode"] == "joint"].groupby("way")["nll"].mean()
    others = judging[judging["group"] == "memorized"].groupby("way")["nll"].mean()
    assert nll["retrained"] > others["retrained"] + 0.4 and nll["retrained"] > nll["nothing"] + 1
    before, after = (load_file(results / f"{name}/model.safetensors") for name in ("model", "retrained"))
    assert all(not np.array_equal(before[name], after[name]) for name in before)
