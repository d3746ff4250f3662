"""Marks of heads in all figures: an outline for the head of interest, a diamond for a judged one."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke

HALO = withStroke(linewidth=2, foreground="white")
OUTLINE = {"fill": False, "ec": "black", "lw": 0.8, "path_effects": [HALO]}
DIAMOND = {"marker": "D", "ls": "", "ms": 3.5, "color": "black", "mec": "white", "mew": 0.5}


def outline(axes: Axes, x: float, y: float, width: float = 1, height: float = 1) -> None:
    """Outline the head of interest, from its lower left corner on."""
    axes.add_patch(Rectangle((x, y), width, height, **OUTLINE, clip_on=False, zorder=3))


def diamond(axes: Axes, x: float, y: float) -> None:
    """Mark a judged head at its centre."""
    axes.plot(x, y, **DIAMOND, zorder=4)


def name_heads(
    figure: Figure, head: tuple[int, int], mark: str = "", judged: tuple[int, int] | None = None
) -> None:
    """Add a line to a figure that names the head of interest (layer, head), and what a diamond marks: a
    judged head, by its name if it is another one.
    """
    mark += "" if judged in (None, head) else f": {judged[1]} of layer {judged[0]}"
    marks = [Patch(**OUTLINE, label=f"head of interest: {head[1]} of layer {head[0]}")]
    marks += [Line2D([], [], **DIAMOND, label=mark)] if mark else []
    figure.set_figheight(figure.get_figheight() + 0.2)
    figure.legend(handles=marks, loc="outside lower left", ncols=2, handlelength=1.2)
