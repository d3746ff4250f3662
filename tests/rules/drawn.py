"""What a figure shows, in words and numbers that can be stored: its panels, and the numbers of its caption.

Sentences of captions are left out: with others, it is the same figure.
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import Collection, PathCollection, QuadMesh
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from memloc.figures.parts.style import Drawing

DRAWN = ".drawn.json"
STORES = "MEMLOC_STORES"  # an environment variable with which tests store figures of made-up tables
MADE_UP = Path(__file__).parents[1] / "unit/figures/drawn"
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


def with_what_is_drawn(write: Callable[..., None]) -> Callable[..., None]:
    """Writes the files of a figure as `write` does, and beside them what the figure shows."""

    @wraps(write)
    def write_both(drawing: Drawing, output: Any, caption: str) -> None:
        write(drawing, output, caption)
        write_parts(described(drawing), drawn_path(output.csv))

    return write_both


def drawn_path(path: str) -> Path:
    """Where it is written what the figure of a file shows."""
    return Path(path).with_suffix(DRAWN)


def assert_as_stored(name: str, drawing: Drawing) -> None:
    """A figure of made-up tables shows what is stored."""
    assert_stored(described(drawing), MADE_UP / f"{name}{DRAWN}")


def assert_stored(found: dict[str, Any], path: Path) -> None:
    """Parts are those of a file, which `tests/rules/store.py` writes anew where they are not."""
    try:
        assert_same(found, json.loads(path.read_text()))
    except (AssertionError, FileNotFoundError):
        if STORES not in os.environ:
            raise
        write_parts(found, path)


def described(drawing: Drawing) -> dict[str, Any]:
    """Numbers, legends and everything on each panel."""
    figure = drawing.figure
    legends = [words(legend.texts) for part in (figure, *figure.subfigs) for legend in part.legends]
    parts = {"numbers": rounded(drawing.numbers), "legends": legends}
    for number, axes in enumerate(figure.axes):
        parts |= {f"panel {number}, {name}": rounded(found) for name, found in shown(axes).items() if found}
    return parts


def write_parts(parts: dict[str, Any], path: Path) -> None:
    """A part on each line."""
    lines = [f"{json.dumps(name)}: {json.dumps(found)}" for name, found in parts.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def shown(axes: Axes) -> dict[str, Any]:
    """Everything on a panel."""
    legend = axes.get_legend()
    return {
        "limits": [[*axes.get_xlim()], [*axes.get_ylim()], axes.get_xscale(), axes.get_yscale()],
        "ticks": [words(axis.get_ticklabels(which="both")) for axis in (axes.xaxis, axes.yaxis)],
        "names": [*filter(None, (axes.get_title(), axes.get_xlabel(), axes.get_ylabel()))],
        "legend": words(legend.texts) if legend else [],
        "texts": [[text.get_text(), colour(text), [*text.get_position()]] for text in axes.texts],
        "tables": [
            [cell.get_text().get_text() for cell in table.get_celld().values()] for table in axes.tables
        ],
        "lines": [*map(line, axes.lines)],
        "patches": [*map(patch, axes.patches)],
        "images": [mapped(image) for image in axes.images],
        "collections": [*map(collection, axes.collections)],
    }


def words(labels: Iterable[Text]) -> list[str]:
    return [label.get_text() for label in labels]


def column_of(figure: Figure, title: str) -> list[str]:
    """Texts of the column under a title of a drawn table, from top to bottom, without empty ones."""
    (table,) = figure.axes[0].tables
    lines = {place: cell.get_text().get_text().split("\n") for place, cell in table.get_celld().items()}
    texts = {place: "".join(parts) for place, parts in lines.items()}
    (column,) = (column for (row, column), text in texts.items() if row == 0 and text == title)
    return [text for (row, each), text in sorted(texts.items()) if each == column and row and text]


def colour(artist: Artist) -> str:
    found = getattr(artist, "get_color", None) or artist.get_facecolor
    return to_hex(found(), keep_alpha=True)


def line(own: Line2D) -> list[Any]:
    return [own.get_label(), own.get_marker(), own.get_linestyle(), colour(own), *columns(own.get_xydata())]


def patch(own: Patch) -> list[Any]:
    return [
        colour(own),
        to_hex(own.get_edgecolor()),
        *columns(own.get_patch_transform().transform_path(own.get_path()).vertices),
    ]


def collection(own: Collection) -> list[Any]:
    """What a map, dots, bars of intervals or a band show."""
    colours = sorted({to_hex(each, keep_alpha=True) for each in (*own.get_facecolor(), *own.get_edgecolor())})
    if isinstance(own, QuadMesh):
        return mapped(own)
    if isinstance(own, PathCollection):
        return [colours, *columns(own.get_offsets())]
    return [colours, *columns([corner for path in own.get_paths() for corner in path.vertices])]


def mapped(own: ScalarMappable) -> list[Any]:
    """Values of a map, with the names and ends of their colours."""
    return [own.get_cmap().name, [*own.get_clim()], [*np.ravel(own.get_array())]]


def columns(points: Any) -> list[list[float]]:
    """Horizontal and vertical places, which have scales of their own."""
    return np.ma.filled(np.ma.asarray(points, dtype=float), np.nan).reshape(-1, 2).T.tolist()


def rounded(value: Any) -> Any:
    """Four digits of each number; what is masked, missing or infinite is null."""
    value = value._asdict() if hasattr(value, "_asdict") else value
    if isinstance(value, Mapping):
        return {str(name): rounded(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [*map(rounded, value)]
    if isinstance(value, str):
        return value
    known = value is not None and not np.ma.is_masked(value) and np.isfinite(value)
    return float(f"{value:.4g}") if known else None


def assert_same(found: Any, expected: Any, name: str = "") -> None:
    """Words are the same; numbers are equal up to rounding, those in words up to their last digit."""
    kinds = [type(each) for each in (found, expected) if isinstance(each, dict | list | str)]
    assert kinds in ([], 2 * kinds[:1]), name
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), name
        for key, value in expected.items():
            assert_same(found[key], value, f"{name}, {key}")
    elif isinstance(expected, str):
        assert NUMBER.sub("#", found) == NUMBER.sub("#", expected), name
        for own, other in zip(*(NUMBER.findall(text) for text in (found, expected)), strict=True):
            decimals = len(other.partition(".")[2])
            last = 1.01 * 10.0**-decimals if decimals else 0
            assert abs(float(own.replace(",", "")) - float(other.replace(",", ""))) <= last, name
    elif isinstance(expected, list) and any(isinstance(each, list | dict | str) for each in expected):
        assert len(found) == len(expected), name
        for own, other in zip(found, expected, strict=True):
            assert_same(own, other, name)
    else:
        numbers = [np.array(each, dtype=float) for each in (found, expected)]
        scale = np.max(np.abs(np.nan_to_num(numbers[1])), initial=0)
        np.testing.assert_allclose(*numbers, rtol=2e-3, atol=1e-3 * scale, err_msg=name)
