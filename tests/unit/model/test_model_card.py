"""What identifies a model, and the text of its tokens."""

import pytest

from memloc.model import model_card, pretrained
from memloc.model.loading import load_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_the_revision_is_the_commit_that_was_downloaded_not_the_branch(folder):
    (folder / "commit.txt").write_text(f"{COMMIT}\n")
    assert model_card.describe(load_model(folder), folder, "lab/tiny", "main")["revision"] == COMMIT


def test_checkpoints_of_the_same_weights_are_refused_by_name():
    cards = {f"step{n}": {"sha256": weights, "revision": f"r{n}"} for n, weights in enumerate("abcb")}
    with pytest.raises(pretrained.ModelError, match=r"step1 \(revision r1\) and step3 \(revision r3\)"):
        model_card.require_distinct(cards)
    model_card.require_distinct({name: card for name, card in cards.items() if name != "step3"})
