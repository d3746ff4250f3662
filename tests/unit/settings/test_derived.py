"""What settings say beyond their values: numbers, names and addresses that follow from them."""

import pytest
from made_configs import VALID, message

from memloc.settings.data import ReleaseData
from memloc.settings.detection import Detection
from memloc.settings.errors import validate


def test_lead_times_are_shares_of_the_prefix_rounded_and_two_tokens_at_least():
    assert Detection().n_seen(50) == [5, 10, 20, 30, 40, 50]
    some = Detection(prefix_shares=[1.0, 0.01, 0.12, 0.28, 0.3])
    assert some.n_seen(10) == [2, 3, 10]


def test_only_the_name_of_a_host_may_hold_no_password():
    assert ReleaseData(source="release", location="https://host/a@b.zip").location.endswith("a@b.zip")
    for section in (
        {"network": {"endpoint": "https://me@host"}},
        {"data": {"source": "release", "location": "https://me:secret@host/a.zip"}},
        {"data": {"source": "text", "files": ["a.txt", "https://me@host/b.txt"]}},
        {"data": {"source": "tokens", "files": ["https://me@host/g.npy"]}},
    ):
        assert "HF_TOKEN" in message(**section)


def test_the_untrained_model_is_a_checkpoint_too():
    models = {name: {"source": "local", "folder": name, "step": step} for name, step in (("a", 0), ("b", 7))}
    study = {"study": "x", "data": {"source": "text", "files": ["a.txt"]}}
    assert validate(study | {"models": models}, "f").steps == {"a": 0, "b": 7}
    assert validate(VALID, "f").steps == {}


@pytest.mark.parametrize(
    ("section", "source", "allowed", "others"),
    [
        ("model", "hub", "revision", "n_layers"),
        ("model", "local", "folder", "revision"),
        ("data", "tokens", "names", "retokenize"),
        ("data", "text", "unseen", "n_once"),
    ],
)
def test_an_unknown_key_is_answered_with_those_of_its_form(section, source, allowed, others):
    given = {"source": source, "colour": 1, "files": ["a.npy"], "folder": "x"}
    if section == "data" or source == "hub":
        del given["folder"]
    if section == "model":
        del given["files"]
    keys = message(**{section: given}).split(f"{section}.colour: unknown key; allowed here: ")[1].split(", ")
    assert allowed in keys and others not in keys
