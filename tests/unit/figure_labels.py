"""Are the labels of a figure readable: all within the figure, and none on top of another?"""

from itertools import combinations
from weakref import WeakKeyDictionary

from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

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
