"""The paragraphs that figures show as examples."""

import pytest

from memloc.figures import fig6, fig12


@pytest.fixture
def examples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paragraph 8 of `made_activations` is the first example, and 3 the second."""
    for module in (fig6, fig12):
        monkeypatch.setattr(module, "example_ids", lambda tables: [8, 3])
