"""Are the labels of a figure readable, all on it and none on top of another? Is its caption whole?"""

import re
from itertools import combinations
from pathlib import Path
from weakref import WeakKeyDictionary

from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from memloc.figures.parts.figures_page import caption_html
from memloc.figures.parts.style import Drawing
from memloc.run.templates import fill
from memloc.settings.sections import sections

REPORT = Path(__file__).parents[2] / "workflow/report"
SETTINGS = sections({"paragraph": {"length": 100, "prefix": 50}})  # of most figures
MOST_WORDS = 120  # of a caption
SLACK = 1.0  # pixels; extents of text hold a little air
_found: WeakKeyDictionary[Figure, list[tuple[str, Bbox]]] = WeakKeyDictionary()


def drawn_labels(figure: Figure) -> list[tuple[str, Bbox]]:
    """Text and extent in pixels of every label on the figure, which is drawn unless it is as it was."""
    if figure.stale or figure not in _found:
        _found[figure] = _draw(figure)
    return _found[figure]


def _draw(figure: Figure) -> list[tuple[str, Bbox]]:
    """Text and extent in pixels of every label that drawing the figure puts on it."""
    drawn: dict[int, Text] = {}
    original = Text.draw

    def record(text: Text, renderer, *args, **options) -> None:
        if text.get_visible() and text.get_text().strip():
            drawn[id(text)] = text
        original(text, renderer, *args, **options)

    Text.draw = record
    try:
        figure.canvas.draw()
    finally:
        Text.draw = original
    return [(text.get_text(), text.get_window_extent()) for text in drawn.values()]


def clipped_labels(figure: Figure) -> list[str]:
    """Labels that reach out of the figure."""
    page = figure.bbox.padded(SLACK)
    return [
        text
        for text, box in drawn_labels(figure)
        if not (page.contains(*box.min) and page.contains(*box.max))
    ]


def overlapping_labels(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of labels that cover each other."""
    labels = [(text, box.padded(-SLACK)) for text, box in drawn_labels(figure)]
    return [(a, b) for (a, box_a), (b, box_b) in combinations(labels, 2) if box_a.overlaps(box_b)]


def checked(name: str, drawing: Drawing) -> str:
    """The caption of a figure on one line, after a look at its labels and at what captions never hold."""
    assert clipped_labels(drawing.figure) == [] and overlapping_labels(drawing.figure) == []
    kinds = [panel for panel in drawing.figure.axes if len(set(panel.get_legend_handles_labels()[1])) > 1]
    assert not kinds or drawing.figure.findobj(Legend), "no legend names what is drawn"
    text = fill((REPORT / f"{name}.rst").read_text(), drawing.numbers)
    assert "system-message" not in caption_html(text), "it is valid markup"
    assert not re.search(r"[{}]|\bnan\b|\bNone\b", text), text
    assert len(text.split()) <= MOST_WORDS, text
    if "claims" not in name:
        verdicts = r"\b(does not hold|no difference that matters|significant)\b"
        assert not re.search(verdicts, text), "captions decide nothing"
    return " ".join(text.split())
