"""The files of a figure: PDF, PNG, plotted numbers and caption."""

from typing import Any

from memloc.figures.parts.style import Drawing
from memloc.run.atomic import atomic_path, write_text
from memloc.run.templates import fill, quoted

STANDS_BEFORE = {  # sentences of captions, by `paragraph.before`
    "none": "",
    "end_of_text": "\nIn this study, an end-of-text token stands before every prefix.\n",
    "bos": "\nIn this study, a beginning-of-sequence token stands before every prefix.\n",
}


def caption(template: str, numbers: dict[str, Any], before: str, model: str | None) -> str:
    """A figure's caption (reStructuredText): the template with the numbers filled in, and its last lines.

    These are the token before every prefix (`paragraph.before`), and the name of the model, if the figure is
    about one.

    Raises:
        jinja2.UndefinedError: the template names a number that is not given.
    """
    about = f"\nModel: {quoted(model)}.\n" if model else ""
    return fill(template, numbers) + STANDS_BEFORE[before] + about


def write(drawing: Drawing, output: Any, text: str) -> None:
    """Write a drawing to `output.pdf`, `.png` and `.csv`, its page, if any, to `.page`, `text` to `.caption`.

    Each file appears whole or not at all, and holds no time: the same drawing gives the same bytes.
    """
    for path, options in ((output.png, {}), (output.pdf, {"metadata": {"CreationDate": None}})):
        with atomic_path(path) as temporary:
            drawing.figure.savefig(temporary, **options)
        # The layout takes as long as the drawing: compute it once.
        drawing.figure.set_layout_engine("none")
    with atomic_path(output.csv) as temporary:
        drawing.data.to_csv(temporary, index=False)
    if drawing.page is not None:
        write_text(output.page, drawing.page)
    write_text(output.caption, text)
