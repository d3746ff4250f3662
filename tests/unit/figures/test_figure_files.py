"""The files of a figure: all four, each whole, the same bytes every time; what a caption is made of."""

from types import SimpleNamespace
from typing import get_args

import pandas as pd
import pytest

from memloc.figures.parts import files, style
from memloc.run.templates import quoted
from memloc.settings.paragraph import Paragraph

CURVE = pd.DataFrame({"step": [1, 20, 40], "loss": [8.0, 5.0, 3.5]})
CLAIM = {
    "statement": "So |it| is.",
    "work": "2403.19851",
    "section": "4",
    "verdict": "holds",
    "value": 1.5,
    "low": 1.0,
    "high": 2.0,
    "quantity": "tokens_",
    "n": 1,
    "n_other": None,
    "unit": "study",
    "published": 13450.0,
    "reason": "the interval is above 0",
}
SAID = (
    "\nClaims and verdicts of this run (intervals: 95 %; "
    "corrected by Bonferroni; table claims is corrected by Holm and may decide more):\n\n"
    r"* So \|it\| is. (2403.19851, 4) **holds**: 1.5 (1 to 2) tokens\_, n = 1 study, published 13,450; "
    "the interval is above 0.\n"
)


def written(folder):
    """The contents of the files of a drawing, by their endings."""
    folder.mkdir()
    names = {kind: folder / f"figure.{kind}" for kind in ("png", "pdf", "csv", "page")}
    output = SimpleNamespace(**names, caption=folder / "figure.rst")
    figure, axes = style.subplots(2.4, 3.4)
    axes.plot(CURVE["step"], CURVE["loss"])
    drawing = style.Drawing(figure, CURVE, {}, page="<p></p>")
    files.write(drawing, output, "The caption.\n")
    return {path.suffix[1:]: path.read_bytes() for path in folder.iterdir()}


def caption(before="none", model=None, claims=None):
    numbers = {"study": "mini", "n_steps": 40}
    return files.caption("Study {{ study }}: {{ n_steps }} steps.\n", numbers, before, model, claims)


def test_a_figure_has_files_that_hold_no_time(tmp_path):
    first, second = (written(tmp_path / name) for name in "ab")
    assert first == second and set(first) == {"png", "pdf", "csv", "rst", "page"}
    assert first["png"].startswith(b"\x89PNG") and first["pdf"].startswith(b"%PDF")
    assert b"CreationDate" not in first["pdf"]
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "a/figure.csv"), CURVE)
    assert first["rst"] == b"The caption.\n" and first["page"] == b"<p></p>"


def test_a_caption_ends_with_its_verdicts_and_the_name_of_the_model():
    claims = pd.DataFrame([CLAIM, CLAIM | {"verdict": "not applicable"}])
    assert caption() == "Study mini: 40 steps.\n"
    assert caption(claims=claims) == caption() + SAID
    assert caption(claims=claims, model="lab/a-b") == caption() + SAID + f"\nModel: {quoted('lab/a-b')}.\n"
    assert caption(claims=claims[1:]) == caption()


@pytest.mark.parametrize("before", get_args(Paragraph.model_fields["before"].annotation))
def test_a_caption_says_which_token_stands_before_every_prefix(before):
    text = caption(before, model="tiny")
    said = {
        "none": "",
        "end_of_text": "\nIn this study, an end-of-text token stands before every prefix.\n",
        "bos": "\nIn this study, a beginning-of-sequence token stands before every prefix.\n",
    }
    assert text == f"Study mini: 40 steps.\n{said[before]}\nModel: {quoted('tiny')}.\n"


def test_powers_of_ten_are_written_out_and_dollars_are_no_formula():
    figure, axes = style.subplots(1, 2)
    axes.set(xscale="log", xlim=(1, 1e5))
    style.plain_log_ticks(axes.xaxis)
    assert axes.xaxis.get_major_formatter()(10_000) == "10,000"
    axes.set_title(r"$\frac$")  # no formula that can be drawn
    figure.canvas.draw()


def test_white_space_and_what_is_not_printed_have_marks():
    assert style.visible("a b\n\t\r\x07\u00e9") == "a\u2423b\u21b5\u21e5\u240d\\x07\u00e9"
