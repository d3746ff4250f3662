"""The files of a figure: PDF, PNG, plotted numbers and caption."""

from pathlib import Path
from typing import Any

import pandas as pd

from memloc.figures.parts.caption import verdicts
from memloc.figures.parts.style import Drawing
from memloc.run.atomic import atomic_path
from memloc.run.templates import fill, quoted


def write(
    drawing: Drawing,
    output: Any,
    template: str | Path,
    study: str,
    model: str | None = None,
    claims: pd.DataFrame | None = None,
) -> None:
    """Write a drawing to `output.pdf`, `.png`, `.csv` and, with the template filled in, `.caption`; its page,
    if it has one, to `output.page`.

    Each file appears whole or not at all, and holds no time: the same drawing gives the same bytes. A
    caption ends with the verdicts of its claims (rows of table `claims`), and with the name of the model,
    if the figure is about one.

    Raises:
        jinja2.UndefinedError: the template names a number that the drawing does not give.
    """
    for path, options in ((output.png, {}), (output.pdf, {"metadata": {"CreationDate": None}})):
        with atomic_path(path) as temporary:
            drawing.figure.savefig(temporary, **options)
        # The layout takes as long as the drawing: compute it once.
        drawing.figure.set_layout_engine("none")
    with atomic_path(output.csv) as temporary:
        drawing.data.to_csv(temporary, index=False)
    if drawing.page is not None:
        with atomic_path(output.page) as temporary:
            Path(temporary).write_text(drawing.page)
    with atomic_path(output.caption) as temporary:
        text = fill(Path(template).read_text(), drawing.numbers | {"study": study})
        about = f"\nModel: {quoted(model)}.\n" if model else ""
        Path(temporary).write_text(text + ("" if claims is None else verdicts(claims)) + about)
