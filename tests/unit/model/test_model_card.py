"""What identifies a model, and the text of its tokens."""

from memloc.model import model_card
from memloc.model.pretrained import read_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_the_revision_is_the_commit_that_was_downloaded_not_the_branch(folder):
    (folder / "commit.txt").write_text(f"{COMMIT}\n")
    assert model_card.describe(read_model(folder), folder, "lab/tiny", "main")["revision"] == COMMIT
