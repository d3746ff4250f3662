"""The files of a figure: PDF, PNG, plotted numbers and caption."""

from pathlib import Path
from typing import Any

import pandas as pd

from memloc.figures.parts.style import Drawing
from memloc.run.atomic import atomic_path
from memloc.run.templates import escaped, fill, measured, quoted
from memloc.tables.terms.claims import NOT_APPLICABLE, counted

STANDS_BEFORE = {
    "none": "",
    "end_of_text": "\nIn this study, an end-of-text token stands before every prefix.\n",
    "bos": "\nIn this study, a beginning-of-sequence token stands before every prefix.\n",
}


def write(
    drawing: Drawing,
    output: Any,
    template: str | Path,
    study: str,
    before: str,
    model: str | None = None,
    claims: pd.DataFrame | None = None,
) -> None:
    """Write a drawing to `output.pdf`, `.png`, `.csv` and, with the template filled in, `.caption`; its page,
    if it has one, to `output.page`.

    Each file appears whole or not at all, and holds no time: the same drawing gives the same bytes. A
    caption ends with the verdicts of its claims (rows of table `claims`), with what stands before every
    prefix (`paragraph.before`), unless nothing does, and with the name of the model, if it is about one.

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
        judged = "" if claims is None else verdicts(claims)
        Path(temporary).write_text(text + judged + STANDS_BEFORE[before] + about)


def verdicts(claims: pd.DataFrame) -> str:
    """The verdicts that a caption ends with, one list item a claim; none for claims that do not apply.

    `claims` has the columns of table `claims`.
    """
    shown = claims[claims["verdict"] != NOT_APPLICABLE]
    if shown.empty:
        return ""
    items = "\n".join(_verdict(row) for row in shown.itertuples())
    return f"\nClaims and verdicts of this run (intervals: 95 %):\n\n{items}\n"


def _verdict(claim: Any) -> str:
    published = "" if pd.isna(claim.published) else f", published {claim.published:,g}"
    return (
        f"* {escaped(claim.statement)} ({claim.work}, {escaped(claim.section)}) **{claim.verdict}**: "
        f"{escaped(measured(claim.value, claim.low, claim.high, claim.quantity))}, "
        f"n = {counted(claim.n, claim.unit)}{published}; {escaped(claim.reason)}."
    )
