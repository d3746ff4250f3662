"""The files of a figure: PDF, PNG, plotted numbers and caption."""

from typing import Any

from matplotlib import rc_context

from memloc.figures.parts.style import Drawing
from memloc.run.atomic import atomic_path, write_text


def write(drawing: Drawing, output: Any, text: str) -> None:
    """Write a drawing to `output.pdf`, `.png` and `.csv`, its page, if any, to `.page`, `text` to `.caption`.

    Each file appears whole or not at all, and holds no time: the same drawing gives the same bytes.
    """
    for path, options in ((output.png, {}), (output.pdf, {"metadata": {"CreationDate": None}})):
        with atomic_path(path) as temporary:
            drawing.figure.savefig(temporary, **options)
        # The layout takes as long as the drawing: compute it once. "none" would still draw twice.
        with rc_context({"figure.constrained_layout.use": False}):
            drawing.figure.set_layout_engine(None)
    with atomic_path(output.csv) as temporary:
        drawing.data.to_csv(temporary, index=False)
    if drawing.page is not None:
        write_text(output.page, drawing.page)
    write_text(output.caption, text)
