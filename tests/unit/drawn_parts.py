"""What axes show, read back from what is drawn on them."""

from collections.abc import Iterable

from matplotlib.figure import Figure
from matplotlib.text import Text


def column_of(figure: Figure, title: str) -> list[str]:
    """Texts of the column under a title of a drawn table, from top to bottom, without empty ones."""
    (table,) = figure.axes[0].tables
    lines = {place: cell.get_text().get_text().split("\n") for place, cell in table.get_celld().items()}
    texts = {place: "".join(parts) for place, parts in lines.items()}
    (column,) = (column for (row, column), text in texts.items() if row == 0 and text == title)
    return [text for (row, each), text in sorted(texts.items()) if each == column and row and text]


def words(labels: Iterable[Text]) -> list[str]:
    """The text of each label."""
    return [label.get_text() for label in labels]
