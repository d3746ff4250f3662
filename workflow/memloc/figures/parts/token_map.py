"""Maps of heads x prefix tokens, with the tokens written out under the columns."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from memloc.figures.parts.heatmap import cells, colour_bar, outline
from memloc.figures.parts.style import COLOURS, visible

TOKEN_FONT = 5.0
ABOVE_MARKS = 9  # points above a panel at which its letter does not touch a triangle
MAX_CHARACTERS = 18
MAX_HEAD_LABELS = 16
MARKED = COLOURS["perturbed"]


def panel_height(n_heads: int) -> float:
    """Height in inches of a map of `n_heads` heads, without its tokens."""
    return 0.35 + min(max(0.7, 0.11 * n_heads), 2.4)


def label_height(texts: Sequence[str]) -> float:
    """Height in inches of the longest token label."""
    return max(len(label(text)) for text in texts) * TOKEN_FONT * 0.6 / 72


def label(text: str) -> str:
    """A token's text with visible whitespace, cut where it is long."""
    text = visible(text)
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "\u2026"


def draw_map(
    axes: Axes, values: pd.DataFrame, unit: str, highlight: int | None = None, marked: int | None = None
) -> None:
    """Draw heads (rows, head 0 on top) x token positions (columns), coloured from 0 to the largest value.

    `highlight` is a row to be outlined, `marked` a column to be marked.
    """
    heads, positions = values.index, values.columns
    mesh = cells(axes, values)
    axes.set_ylim(heads[-1] + 0.5, heads[0] - 0.5)
    axes.set_yticks(heads[:: -(-len(heads) // MAX_HEAD_LABELS)])
    axes.set_ylabel("head")
    colour_bar(mesh, axes, unit, fraction=0.05)
    if highlight is not None:
        outline(axes, positions[0] - 0.5, highlight - 0.5, width=len(positions))
    if marked is not None:
        mark_position(axes, marked)


def label_tokens(axes: Axes, texts: Sequence[str], marked: int | None = None) -> None:
    """Write the tokens upright under the columns 0, 1, ...; `marked` is a position to be coloured."""
    axes.set_xticks(
        range(len(texts)), [label(text) for text in texts], rotation=90, family="DejaVu Sans Mono"
    )
    axes.tick_params(axis="x", pad=2, labelsize=TOKEN_FONT)
    if marked is not None:
        axes.get_xticklabels()[marked].set(color=MARKED, fontweight="bold")


def mark_position(axes: Axes, position: int) -> None:
    """A triangle above a column."""
    where = {"xycoords": axes.get_xaxis_transform(), "textcoords": "offset points", "ha": "center"}
    axes.annotate("\u25bc", (position, 1), (0, 1), **where, va="bottom", fontsize=TOKEN_FONT, color=MARKED)


def marked_position(tables: dict[str, pd.DataFrame], paragraph: int) -> int | None:
    """Position of the perturbed token of a paragraph, if the paragraph has a perturbed version."""
    return tables["perturbed_paragraphs"].set_index("id")["position"].get(paragraph)


def prefix_texts(tables: dict[str, pd.DataFrame], paragraph: int, n_prefix: int) -> list[str]:
    """Texts of the prefix tokens of a paragraph."""
    vocabulary = tables["vocabulary"].set_index("token")["text"]
    tokens = tables["paragraphs"].set_index("id")["tokens"].loc[paragraph]
    return vocabulary.loc[list(tokens[:n_prefix])].tolist()
