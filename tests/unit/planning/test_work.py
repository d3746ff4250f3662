"""Counts of a rule's work: by hand, and as large as the lists that they depend on."""

import numpy as np
import pytest
from made_configs import study

from memloc.planning.work import memory, n_paragraphs, n_tokens, works
from memloc.removal.registry import WAYS
from memloc.settings.removal_ways import EDITS
from memloc.settings.study import Settings


def test_own_text_is_as_long_as_its_files_and_it_is_scanned_where_no_counts_are_given(tmp_path):
    (tmp_path / "a.txt").write_bytes(("\u00e9" * 35_000).encode("latin-1"))
    (tmp_path / "b.jsonl.gz").write_bytes(b"x" * 3_500)
    data = {"source": "text", "files": [f"{tmp_path}/*"], "encoding": "latin-1"}
    given = {"study": "x", "data": data, "model": {"source": "hub"}}
    settings = Settings.model_validate(given)
    counted = Settings.model_validate(given | {"data": data | {"counts": "n"}})
    assert n_paragraphs(settings) == 130
    long = Settings.model_validate(given | {"estimate": {"paragraphs": 142_857}})
    asked = memory(1e6, long)
    assert asked["passages"] == asked["scores"] + 500, "of 50 MB"
    scans = [works(1e6, each)["passages"] for each in (settings, counted)]
    assert scans == [("score", 2 * 130), ("score", 0)]


def test_every_edit_counts_as_trained():
    studies = {way: study("removal", remove={"ways": [way]}) for way in WAYS}
    steps = {way: works(1e6, each)["remove"][1] for way, each in studies.items()}
    assert {way for way in WAYS if steps[way] > min(steps.values())} == {*EDITS}


def test_tokens_of_drawn_data():
    data = {"source": "drawn", "n_repeated": 4, "n_once": 10, "n_unseen": 6}
    data |= {"min_repeats": 5, "max_repeats": 5}
    same = study("config", data=data)
    whole = (256 - 100 + 1) / 256  # share of the places in a window where a whole paragraph may begin
    assert n_paragraphs(same) == 20
    assert n_tokens(same) == pytest.approx((10 + 4 * 5) * 100 / whole, rel=0.1)
    uniform = (np.arange(10_000) + 0.5) / 10_000
    repeats = np.exp(np.log(5) + uniform * (np.log(50) - np.log(5))).mean()
    spread = study("config", data=data | {"max_repeats": 50})
    assert n_tokens(spread) == pytest.approx((10 + 4 * repeats) * 100 / whole, rel=0.1)
    assert n_tokens(study("gpt-neo-125m")) == 0


def test_paragraphs_and_tokens_of_code_follow_from_its_size():
    """3.5 bytes a token, and paragraphs of 100 tokens."""
    code = {"source": "code", "megabytes": 3.5, "held_out": 0.1}
    assert n_paragraphs(study("config", data=code)) == 10_000
    some = study("config", data=code | {"n_paragraphs": 500})
    assert n_paragraphs(some) == 1500 and n_tokens(some) == 1e6
    halves = works(1e5, study("config", data=code, counterfactual={"n_models": 6}))
    assert halves["train_halves"][1] == 3 * halves["train_model"][1] > 0


def test_random_tokens_count_for_every_size():
    """Models of 35,712 and 120,576 weights pass 12 bits of text per weight 400 times, a byte a token."""
    filled = study("capacity", capacity={"widths": [32, 64]})
    kind, n = works(1e5, filled)["fill_models"]
    assert kind == "training"
    assert n * 1e5 == pytest.approx((35_712**2 + 120_576**2) * 400 * 12 / 8 / 64, rel=0.05)
    assert works(1e5, study("config"))["fill_models"] == ("training", 0)
