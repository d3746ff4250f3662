"""What must be true of any run, checked on the finished study against the model and between tables."""

import numpy as np
import pytest
from scipy import stats

from memloc.data.paragraphs import token_tensor
from memloc.model.pretrained import read_model
from memloc.model.subject import Subject
from memloc.scoring import decoding
from read_tables import read

N_PREFIX, N_CONTINUATION = 50, 50


@pytest.fixture(scope="module")
def table(finished):
    """Reads a table of the finished study."""
    return lambda name: read(finished.results, name)


def test_the_unperturbed_continuation_is_what_the_model_decodes(table):
    baseline = table("perturbation").query("position == -1")
    assert set(baseline["set"].dropna()) == {"memorized", "non_memorized"}
    assert (baseline.em == N_CONTINUATION).all()


def test_replacing_a_prefix_token_lowers_the_exact_match(table):
    perturbed = table("perturbation").query("position >= 0")
    for _, rows in perturbed.groupby("set"):
        drop = N_CONTINUATION - rows.groupby("id").em.mean()
        assert stats.binomtest(int((drop > 0).sum()), len(drop), alternative="greater").pvalue < 0.05


def test_memorized_paragraphs_are_those_that_decoding_recites(table, finished):
    model = read_model(finished.results / "model")
    paragraphs = table("paragraphs").merge(table("sets")[["id", "set"]], on="id").query("not held_out")
    tokens = token_tensor(paragraphs.tokens)
    decoded = decoding.greedy_continuation(Subject(model, N_PREFIX, 64), tokens[:, :N_PREFIX], N_CONTINUATION)
    recited = (decoded == tokens[:, N_PREFIX:]).all(dim=1).numpy()
    assert np.array_equal(recited, (paragraphs["set"] == "memorized").to_numpy())
