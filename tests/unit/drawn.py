"""What a figure shows: its legend, labels, and the cells of a table."""

from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text


def words(labels: Iterable[Text]) -> list[str]:
    """The text of each label."""
    return [label.get_text() for label in labels]


def legend(figure: Figure) -> list[str]:
    """What the figure's legend names, in its order."""
    return [text for found in figure.legends for text in words(found.get_texts())]


def table_rows(axes: Axes, header: Sequence[str]) -> list[dict[str, str]]:
    """Rows of a drawn table from above: cells by the titles of their columns, without empty ones."""
    titles, cells = axes.texts[: len(header)], axes.texts[len(header) :]
    columns = {text.get_position()[0]: text.get_text() for text in titles}
    rows: dict[float, dict[str, str]] = {}
    for text in cells:
        left, top = text.get_position()
        rows.setdefault(round(top, 3), {})[columns[left]] = text.get_text()
    return [row for _, row in sorted(rows.items())]
