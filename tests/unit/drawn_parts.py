"""What axes show, read back from what is drawn on them."""

from collections.abc import Iterable

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text


def colour_of(artist: Artist) -> str:
    """Colour of a line, a text, a patch or dots, whatever its transparency."""
    found = getattr(artist, "get_color", None) or artist.get_facecolor
    colour = found()
    return to_hex(colour if isinstance(colour, str) else np.ravel(colour)[:3])


def outlined(axes: Axes) -> list[tuple[float, float]]:
    """Left edges and layers of the cells that a map outlines."""
    return sorted((patch.get_x(), patch.get_y() + 0.5) for patch in axes.patches)


def lying_bars(axes: Axes) -> list[np.ndarray]:
    """Place and length of the bars of each kind."""
    ends = [[(b.get_y() + b.get_height() / 2, b.get_width()) for b in bars] for bars in axes.containers]
    return list(map(np.array, ends))


def band_at(band: Collection, place: float) -> tuple[float, float]:
    """Lower and upper end of a band at a place of the horizontal axis."""
    corners = band.get_paths()[0].vertices
    heights = corners[corners[:, 0] == place][:, 1]
    return heights.min(), heights.max()


def column_of(figure: Figure, title: str) -> list[str]:
    """Texts of the column under a title of a drawn table, from top to bottom, without empty ones."""
    (table,) = figure.axes[0].tables
    lines = {place: cell.get_text().get_text().split("\n") for place, cell in table.get_celld().items()}
    texts = {place: "".join(parts) for place, parts in lines.items()}
    (column,) = (column for (row, column), text in texts.items() if row == 0 and text == title)
    return [text for (row, each), text in sorted(texts.items()) if each == column and row and text]


def is_red_above_zero(mesh) -> bool:
    """Whether a map is red where its values are positive and blue where they are negative."""
    (red, _, blue, _), (red_below, _, blue_below, _) = mesh.to_rgba(0.8 * np.array(mesh.get_clim()[::-1]))
    return red > blue and red_below < blue_below


def words(labels: Iterable[Text]) -> list[str]:
    """The text of each label."""
    return [label.get_text() for label in labels]
