"""What must be true of any run, checked on the finished study against the model and between tables."""

import numpy as np
import pytest
import torch
from scipy import stats

from memloc.data.paragraphs import sampled_tokens, token_tensor
from memloc.model import loading
from memloc.scoring import decoding
from memloc.tables import storage
from memloc.tables.schemas import schema_of

N_PREFIX, N_CONTINUATION = 50, 50


@pytest.fixture(scope="module")
def table(finished):
    """Reads a table of the finished study."""
    return lambda name: storage.read(schema_of(name), finished.results / "tables" / f"{name}.parquet")


def test_the_unperturbed_continuation_is_what_the_model_decodes(table):
    baseline = table("perturbation").query("position == -1")
    assert set(baseline["set"].dropna()) == {"memorized", "non_memorized"}
    assert (baseline.em == N_CONTINUATION).all()


def test_the_paragraphs_of_pairs_are_perturbed_too_and_are_in_no_sample(table):
    sets = table("sets")
    of_sample = sets[sets["sampled"] & sets["set"].isin(["memorized", "non_memorized"])]
    paired = set(sets.loc[sets["pair"].notna(), "id"])
    found = table("perturbation").drop_duplicates("id").set_index("id")["set"]
    assert set(found.index) == paired | set(of_sample["id"])
    assert found.dropna().to_dict() == of_sample.set_index("id")["set"].to_dict()
    memorized = set(of_sample.query("set == 'memorized'")["id"])
    assert set(table("kept_tokens")["id"]) == memorized >= set(table("perturbed_paragraphs")["id"])


def test_replacing_a_prefix_token_lowers_the_exact_match(table):
    perturbed = table("perturbation").query("position >= 0")
    for _, rows in perturbed.groupby("set"):
        drop = N_CONTINUATION - rows.groupby("id").em.mean()
        assert stats.binomtest(int((drop > 0).sum()), len(drop), alternative="greater").pvalue < 0.05


def test_memorized_paragraphs_are_those_that_decoding_recites(table, finished):
    model = loading.load_model(finished.results / "model")
    paragraphs = table("paragraphs").merge(table("sets")[["id", "set"]], on="id")
    tokens = token_tensor(paragraphs.tokens)
    decoded = decoding.greedy_continuation(model, tokens[:, :N_PREFIX], N_CONTINUATION, micro_batch=64)
    recited = (decoded == tokens[:, N_PREFIX:]).all(dim=1).numpy()
    assert np.array_equal(recited, (paragraphs["set"] == "memorized").to_numpy())


def test_gradients_of_memorized_paragraphs_are_those_of_the_model(table, finished):
    model = loading.load_model(finished.results / "model")
    _, tokens = sampled_tokens(table("paragraphs"), table("sets"), "memorized", N_PREFIX)
    labels = torch.cat([torch.full_like(tokens[:, :N_PREFIX], -100), tokens[:, N_PREFIX:]], dim=1)
    model(tokens, labels=labels).loss.backward()
    rows = table("parameter_gradients").query("group == 'memorized' and component == 'W_out'")
    for row in rows.itertuples():
        expected = model.gpt_neox.layers[row.layer].mlp.dense_4h_to_h.weight.grad.abs().max().item()
        assert row.max_abs == pytest.approx(expected, rel=1e-4)


def test_patched_pairs_are_the_perturbed_paragraphs(table):
    perturbed, patching = table("perturbed_paragraphs"), table("patching")
    assert set(patching.id) == set(perturbed.id)
    assert (perturbed.em < N_CONTINUATION).all()
    assert (perturbed.impact_position == N_PREFIX + perturbed.em).all()


def test_no_other_head_is_before_the_combined_first(table):
    ranking = table("head_ranking")
    mean_rank = ranking[ranking.method != "combined"].groupby(["layer", "head"])["rank"].mean()
    first = ranking.query("method == 'combined' and rank == 1").iloc[0]
    assert mean_rank[first.layer, first["head"]] == mean_rank.min()
