"""Figures of verdicts, on claims that are made up: what is drawn, counted and said."""

from pathlib import Path

import numpy as np
import pandas as pd
from figure_labels import clipped_labels, overlapping_labels
from made_tables import frame_of

from memloc.figures import claims
from memloc.figures.parts import verdict_marks
from memloc.run.templates import fill
from memloc.tables.terms.claims import VERDICTS

REPORT = Path(__file__).parents[3] / "workflow/report"
HOLDS, FAILS, OPEN, NOT_APPLICABLE = VERDICTS
SHARE = {"quantity": "of the paragraphs", "value": 0.6, "low": 0.55, "high": 0.75, "bound": 0.5}
LONG = "A statement that is as long as some of them are, so that it takes more than one line of the table."


def claim(name, verdict, topic="editing", **changes):
    row = {"id": name, "topic": topic, "statement": LONG, "work": "2403.19851", "section": "5.3"}
    row["data"] = "edited paragraphs" if topic == "editing" else "sampled paragraphs"
    row |= {"quantity": "nats that are made up", "unit": "paragraph", "figures": "fig5"}
    row |= {"value": 2.0, "low": 1.0, "high": 3.0, "n": 8, "rule": "greater", "margin": 0.0, "bound": 0.0}
    return row | {"verdict": verdict, "reason": "the interval is above 0"} | changes


def table(*rows):
    return frame_of("claims", **pd.DataFrame(rows))


def made_up():
    return table(
        claim("first", HOLDS, n_other=9),
        claim("second", FAILS, low=-3.0, value=-2.0, high=-1.0),
        claim("third", OPEN, n=4, low=np.nan, high=np.nan),
        claim("fourth", HOLDS, "patching", rule="equal within", margin=4.0),
        claim("fifth", HOLDS, "impact", published=0.956, work="2202.07646", **SHARE),
        claim("sixth", NOT_APPLICABLE, "impact", value=None, low=None, high=None, n=0, reason="None."),
    )


def test_every_claim_is_counted_and_the_caption_says_so():
    drawing = claims.draw({"claims": made_up()}, {})
    assert drawing.numbers["counts"] == {HOLDS: 3, FAILS: 1, OPEN: 1, NOT_APPLICABLE: 1}
    caption = fill((REPORT / "claims.rst").read_text(), drawing.numbers | {"study": "mini"})
    assert "6 statements on 3 topics" in caption and "3 hold" in caption
    assert "one of 2 families. The verdicts" in caption


def test_claims_are_written_below_their_topic_which_names_its_data():
    figure = claims.draw({"claims": made_up()}, {}).figure
    (axes,) = figure.axes
    written = [text.get_text() for text in axes.texts]
    assert clipped_labels(figure) == [] and overlapping_labels(figure) == []
    topics = ["Editing", "Patching", "Impact"]
    assert [text for text in written if text in topics] == topics
    joined = " ".join(written)
    assert [
        joined.count(f"{data} paragraphs: {n} claims") for data, n in (("sampled", 2), ("edited", 3))
    ] == [2, 1]
    assert "end at the same distance: 4 (nats), 0.25 (share or score)." in joined
    assert {"8 + 9", "8 paragraphs", "2 nats (1 to 3)", "None."} < set(written)
    assert "0.6 (0.55 to 0.75), published 0.956" in joined
    assert " ".join(text for text in written if len(text) > 10 and text in LONG).startswith(LONG)
    assert any(text.endswith("(2202.07646)") for text in written)
    assert [text for text in written if text in VERDICTS] == made_up()["verdict"].to_list()
    marks = [line for line in axes.lines if line.get_marker() in ("o", "X", "_")]
    for mark, verdict in zip(marks, made_up()["verdict"], strict=True):
        look = verdict_marks.MARKS[verdict]
        assert (mark.get_marker(), mark.get_markerfacecolor()) == (look["marker"], look["mfc"])


def test_intervals_are_drawn_from_their_bounds_on_a_scale_per_kind():
    (axes,) = claims.draw({"claims": made_up()}, {}).figure.axes
    middle, half = claims.STRIP.left + claims.STRIP_WIDTH / 2, claims.STRIP_WIDTH / 2
    drawn = [line.get_xdata() for line in axes.lines if line.get_linewidth() == claims.THICK]
    distances = np.array([(1 / 4, 3 / 4), (-3 / 4, -1 / 4), (np.nan, np.nan), (1 / 4, 3 / 4), (0.2, 1)])
    expected = np.sign(distances) * np.sqrt(abs(distances))
    np.testing.assert_allclose((np.array(drawn) - middle) / half, expected)
    ticks = [line.get_xdata()[0] for line in axes.lines if line.get_color() == claims.OF_BOUNDS]
    np.testing.assert_allclose((np.array(ticks) - middle) / half, [0, 0, 0, -1, 1, 0], atol=1e-9)


def test_a_value_on_its_bound_has_a_strip():
    """Also where no other one gives the strip a length."""
    (axes,) = claims.draw(
        {"claims": table(claim("first", OPEN, value=0.0, low=0.0, high=0.0))}, {}
    ).figure.axes
    (line,) = (line for line in axes.lines if line.get_marker() == ".")
    assert line.get_xdata()[0] == claims.STRIP.left + claims.STRIP_WIDTH / 2


def test_all_claims_fit_a_page():
    rows = [claim(f"claim {number}", HOLDS, f"topic {number % 18}") for number in range(45)]
    figure = claims.draw({"claims": table(*sorted(rows, key=lambda row: row["topic"]))}, {}).figure
    assert clipped_labels(figure) == [] and figure.get_figheight() < 11.7
