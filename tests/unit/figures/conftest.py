"""Figures are closed after each test, and the paragraphs that they show as examples are known."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest

from memloc.figures import fig6, fig12


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture
def examples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paragraph 8 of `made_activations` is the first example, and 3 the second."""
    for module in (fig6, fig12):
        monkeypatch.setattr(module, "example_ids", lambda tables: [8, 3])
