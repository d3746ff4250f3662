"""The files of a figure: all four, each whole, the same bytes every time."""

from types import SimpleNamespace

import pandas as pd

from memloc.figures.parts import files, style

CURVE = pd.DataFrame({"step": [1, 20, 40], "loss": [8.0, 5.0, 3.5]})


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


def test_a_figure_has_files_that_hold_no_time(tmp_path):
    first, second = (written(tmp_path / name) for name in "ab")
    assert first == second and set(first) == {"png", "pdf", "csv", "rst", "page"}
    assert first["png"].startswith(b"\x89PNG") and first["pdf"].startswith(b"%PDF")
    assert b"CreationDate" not in first["pdf"]
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "a/figure.csv"), CURVE)
    assert first["rst"] == b"The caption.\n" and first["page"] == b"<p></p>"


def test_powers_of_ten_are_written_out_and_dollars_are_no_formula():
    figure, axes = style.subplots(1, 2)
    axes.set(xscale="log", xlim=(1, 1e5))
    style.plain_log_ticks(axes.xaxis)
    assert axes.xaxis.get_major_formatter()(10_000) == "10,000"
    axes.set_title(r"$\frac$")  # no formula that can be drawn
    figure.canvas.draw()


def test_white_space_and_what_is_not_printed_have_marks():
    assert style.visible("a b\n\t\r\x07\u00e9") == "a\u2423b\u21b5\u21e5\u240d\\x07\u00e9"
