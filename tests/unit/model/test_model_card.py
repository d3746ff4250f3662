"""What identifies a model, and the text of its tokens."""

import pytest

from memloc.data.tokenizer import train_tokenizer
from memloc.model import model_card, pretrained
from memloc.model.loading import load_model
from memloc.model.pretrained import weights_sha256
from tiny_models import VOCABULARY

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_a_model_is_described(folder):
    model = load_model(folder)
    assert model_card.describe(model, folder, "lab/tiny", "main") == {
        "name": "lab/tiny",
        "revision": "main",
        "sha256": weights_sha256(folder),
        "family": "gpt_neo",
        "n_parameters": sum(weight.numel() for weight in model.parameters()),
        "n_layers": 2,
        "n_heads": 4,
        "width": 16,
        "vocabulary": VOCABULARY,
    }


def test_the_revision_is_the_commit_that_was_downloaded_not_the_branch(folder):
    (folder / "commit.txt").write_text(f"{COMMIT}\n")
    assert model_card.describe(load_model(folder), folder, "lab/tiny", "main")["revision"] == COMMIT


def test_every_token_has_its_text():
    tokenizer = train_tokenizer(["a tokenizer of some words and some words"] * 3, 300)
    frame = model_card.vocabulary(tokenizer)
    assert frame["token"].tolist() == list(range(len(tokenizer)))
    assert frame["text"].tolist() == [tokenizer.decode([token]) for token in range(len(tokenizer))]
    assert (frame["text"] == "\ufffd").any() and " words" in set(frame["text"])


def test_checkpoints_of_the_same_weights_are_refused_by_name():
    cards = {f"step{n}": {"sha256": weights, "revision": f"r{n}"} for n, weights in enumerate("abcb")}
    with pytest.raises(pretrained.ModelError, match=r"step1 \(revision r1\) and step3 \(revision r3\)"):
        model_card.require_distinct(cards)
    model_card.require_distinct({name: card for name, card in cards.items() if name != "step3"})
