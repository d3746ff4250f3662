"""Figures of verdicts, on claims that are made up: what is drawn, counted and said."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from figure_labels import clipped_labels, overlapping_labels

from memloc.figures import claims
from memloc.figures.parts import verdict_marks
from memloc.run.templates import fill
from memloc.tables import validation
from memloc.tables.schema import Lengths
from memloc.tables.schemas import schema_of
from memloc.tables.terms.claims import VERDICTS

REPORT = Path(__file__).parents[3] / "workflow/report"
HOLDS, FAILS, OPEN, NOT_APPLICABLE = VERDICTS
LONG = "A statement that is as long as some of them are, so that it takes more than one line of the table."


def claim(name, verdict, topic="editing", **changes):
    row = {
        "id": name,
        "topic": topic,
        "work": "2403.19851",
        "section": "5.3",
        "statement": LONG,
        "published": np.nan,
        "value": 2.0,
        "low": 1.0,
        "high": 3.0,
        "n": 8,
        "quantity": "tokens forgotten",
        "unit": "paragraph",
        "rule": "greater",
        "margin": 0.0,
        "bound": 0.0,
        "margin_reason": "the text says so",
        "verdict": verdict,
        "reason": "the interval is above 0",
        "figures": "fig5",
    }
    return row | changes


def made_up():
    rows = [
        claim("first", HOLDS),
        claim("second", FAILS, low=-3.0, value=-2.0, high=-1.0),
        claim("third", OPEN, n=4, low=np.nan, high=np.nan),
        claim("fourth", HOLDS, "patching", rule="equal within", margin=4.0),
        claim("fifth", HOLDS, "patching", rule="exact", published=13450.0, low=np.nan, high=np.nan),
        claim("sixth", NOT_APPLICABLE, "patching", value=np.nan, low=np.nan, high=np.nan, n=0),
    ]
    return validation.validate(schema_of("claims"), pd.DataFrame(rows), Lengths())


def test_every_claim_is_counted_and_the_caption_says_so():
    drawing = claims.draw({"claims": made_up()}, {})
    assert drawing.numbers["counts"] == {HOLDS: 3, FAILS: 1, OPEN: 1, NOT_APPLICABLE: 1}
    caption = fill((REPORT / "claims.rst").read_text(), drawing.numbers | {"study": "mini"})
    assert "6 statements on 2 topics" in caption and "3 hold" in caption


def shown(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_claims_are_written_below_their_topic_between_words():
    figure = claims.draw({"claims": made_up()}, {}).figure
    texts = shown(figure)
    assert clipped_labels(figure) == [] and overlapping_labels(figure) == []
    assert texts.count("Editing") == texts.count("Patching") == 1
    assert "13,450" in texts and "8 paragraphs" in texts
    lines = [text for text in texts if len(text) > 10 and text in LONG]
    assert " ".join(lines[:2]) == LONG
    assert [text for text in texts if text in VERDICTS] == made_up()["verdict"].to_list()
    (axes,) = figure.axes
    cells = {text.get_position(): text.get_text() for text in axes.texts}
    colours = {text.get_position(): text.get_color() for text in axes.texts}
    tops = [text.get_position()[1] for text in axes.texts if text.get_text() in VERDICTS]
    marks = [line for line in axes.lines if line.get_marker() in ("o", "X", "_")]
    for top, mark, row in zip(tops, marks, made_up().itertuples(), strict=True):
        found = {name: cells.get((getattr(claims, name).left, top), "") for name in ("SOURCE", "PUBLISHED")}
        assert found == {"SOURCE": "5.3", "PUBLISHED": "13,450" if row.id == "fifth" else ""}
        applies = row.verdict != NOT_APPLICABLE
        interval = f" ({row.low:.3g} to {row.high:.3g})" if np.isfinite(row.low) else ""
        written = f"{row.value:.4g}{interval} tokens forgotten" if applies else row.reason
        assert cells[claims.FOUND.left, top] == written
        assert cells.get((claims.UNITS.left, top), "") == (f"{row.n} paragraphs" if applies else "")
        assert (colours[claims.FOUND.left, top] == "black") == applies
        look, shade = verdict_marks.MARKS[row.verdict], verdict_marks.COLOURS[row.verdict]
        assert colours[claims.VERDICT.left + 0.14, top] == mark.get_markeredgecolor() == shade
        assert (mark.get_marker(), mark.get_markerfacecolor()) == (look["marker"], look["mfc"])
        assert 0 < mark.get_ydata()[0] - top < claims.LINE_HEIGHT
    heights = [text.get_position()[1] for text in axes.texts if text.get_text() in ("Editing", "Patching")]
    assert heights[0] < tops[0] < tops[2] < heights[1] < tops[3]
    middle, half = claims.STRIP.left + claims.STRIP_WIDTH / 2, claims.STRIP_WIDTH / 2
    values = [(line.get_xdata()[0] - middle) / half for line in axes.lines if line.get_marker() == "|"]
    assert values == pytest.approx([2 / 3, -2 / 3, 1 / 2])
    intervals = [line.get_color() for line in axes.lines if line.get_solid_capstyle() == "butt"]
    assert intervals == [verdict_marks.COLOURS[verdict] for verdict in (HOLDS, FAILS, HOLDS)]
    bounds = [line.get_ydata() for line in axes.lines if list(line.get_xdata()) == [middle, middle]]
    assert np.mean(bounds, axis=1) == pytest.approx([marks[place].get_ydata()[0] for place in (0, 1, 3)])


def test_the_last_of_many_topics_is_not_cut():
    rows = [claim(f"claim {number}", HOLDS, f"topic {number}") for number in range(15)]
    figure = claims.draw({"claims": pd.DataFrame(rows)}, {}).figure
    assert clipped_labels(figure) == []


def test_a_claim_of_another_work_names_it():
    row = claim("first", HOLDS, work="2202.07646", section="3")
    assert "2202.07646, 3" in " ".join(shown(claims.draw({"claims": pd.DataFrame([row])}, {}).figure))


def strips(frame):
    """Ends of the drawn intervals, in widths of half a strip from the bound in the middle."""
    middle, half = claims.STRIP.left + claims.STRIP_WIDTH / 2, claims.STRIP_WIDTH / 2
    axes = claims.draw({"claims": frame}, {}).figure.axes[0]
    lines = [line.get_xdata() for line in axes.lines if line.get_solid_capstyle() == "butt"]
    return [list((np.asarray(ends) - middle) / half) for ends in lines]


def test_an_interval_is_drawn_on_its_side_of_the_bound():
    rows = [claim("a", HOLDS), claim("b", FAILS, low=-4.0, high=-1.0), claim("c", OPEN, low=-1.0, high=2.0)]
    assert strips(pd.DataFrame(rows)) == [
        pytest.approx(ends) for ends in ([1 / 3, 1], [-1, -0.25], [-0.5, 1])
    ]


def test_a_margin_moves_the_bound_and_an_equivalence_fills_its_margin():
    rows = [claim("a", HOLDS, rule="at least", margin=2.0, bound=-2.0)]
    assert strips(pd.DataFrame(rows)) == [pytest.approx([0.6, 1])]
    rows = [claim("a", HOLDS, rule="equal within", margin=6.0)]
    assert strips(pd.DataFrame(rows)) == [pytest.approx([1 / 6, 0.5])]


@pytest.mark.parametrize(("margin", "part"), [(6.0, 1.0), (2.0, 2 / 3)])
def test_the_margin_of_an_equivalence_is_grey_on_the_scale_of_its_interval(margin, part):
    rows = [claim("a", HOLDS, rule="equal within", margin=margin)]
    (grey,) = claims.draw({"claims": pd.DataFrame(rows)}, {}).figure.axes[0].collections
    across = grey.get_paths()[0].vertices[:, 0] - claims.STRIP.left - claims.STRIP_WIDTH / 2
    assert np.array([across.min(), across.max()]) / (claims.STRIP_WIDTH / 2) == pytest.approx([-part, part])


def test_where_nothing_changed_a_point_lies_on_the_bound():
    assert strips(pd.DataFrame([claim("a", FAILS, value=0.0, low=0.0, high=0.0)])) == [pytest.approx([0, 0])]


def test_no_interval_and_no_application_have_no_strip():
    assert strips(made_up().iloc[[2, 4, 5]]) == []


def luminance(colour):
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_verdicts_differ_also_without_colour():
    looks = {(mark["marker"], mark["mfc"] in ("white", "none")) for mark in verdict_marks.MARKS.values()}
    assert len(looks) == len(VERDICTS)
    colours = verdict_marks.COLOURS
    assert abs(luminance(colours[HOLDS]) - luminance(colours[FAILS])) > 0.05
