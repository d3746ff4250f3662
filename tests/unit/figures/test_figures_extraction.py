"""Figure `extraction`: what is plotted and said is counted anew from probabilities that are made up."""

import numpy as np
import pandas as pd
import pytest
from drawn_parts import colour_of
from figure_labels import checked

from memloc.figures import extraction
from memloc.figures.parts.style import COLOURS
from memloc.settings.sections import sections

SETTINGS = sections({"paragraph": {"length": 60, "prefix": 20}})
SCHEMES = ("T = 1, top k = 40", "T = 1")


def tables(n_unseen):
    """400 seen paragraphs, of which every other one is likely; unseen ones are not."""
    random, n = np.random.default_rng(0), 400 + n_unseen
    ids = np.arange(n)
    unseen = ids >= 400
    log_p = np.where((ids % 2 == 0) & ~unseen, -random.gamma(1, 3, n), -random.uniform(50, 2000, n))
    truncated = np.where(ids % 5 == 4, -np.inf, np.minimum(log_p + 0.1, 0))
    em = np.where((log_p > -1) & ~unseen, 40, ids % 30)
    repeats = np.where(unseen, 0, np.where(ids % 2 == 0, random.integers(2, 100, n), 1))
    sets = np.where(unseen, "unseen", np.where(em == 40, "memorized", "non_memorized"))
    by_scheme = zip(SCHEMES, (truncated, log_p), strict=True)
    chances = [pd.DataFrame({"id": ids, "scheme": scheme, "log_p": p}) for scheme, p in by_scheme]
    return {
        "extraction": pd.concat(chances).sort_values("id", kind="stable", ignore_index=True),
        "near_extraction": pd.DataFrame({"id": ids, "log_p_nearly": np.minimum(log_p + 3, 0)})[::3],
        "scores": pd.DataFrame({"id": ids, "em": em, "nll": 1.0}),
        "sets": pd.DataFrame({"id": ids, "set": sets}),
        "paragraphs": pd.DataFrame({"id": ids, "count": repeats}).assign(
            continuation_count=pd.array(repeats, "Int64")
        ),
    }


def within(log_p, n_draws, confidence=0.9):
    """Paragraphs of which n draws give at least one, by the formula itself."""
    return 1 - (1 - np.exp(log_p)) ** n_draws >= confidence


@pytest.mark.parametrize("n_unseen", [0, 60])
def test_labels_are_readable_and_the_caption_says_whether_there_are_controls(n_unseen):
    text = checked("extraction", extraction.draw(tables(n_unseen), SETTINGS))
    assert ("No paragraph is known to be unseen" in text) == (n_unseen == 0)
    assert ("Of 60 unseen paragraphs" in text) == (n_unseen == 60)


def test_bins_of_repeats_have_intervals_where_they_hold_six_paragraphs():
    drawing = extraction.draw(tables(0), SETTINGS)
    data = drawing.data.query("panel == 'b' and shown == '1,000 draws'")
    bars = [bar for bar in drawing.figure.axes[1].collections if colour_of(bar) == extraction.SHADES[-1]]
    ends = [segment[:, 1].tolist() for segment in bars[0].get_segments() if len(segment)]
    assert ends == data[["low", "high"]].dropna().to_numpy().tolist() and len(ends) > 5
    assert data["low"].isna().tolist() == (data["n_paragraphs"] < 6).tolist()


def test_numbers_are_counted_anew():
    given = tables(60)
    numbers = extraction.draw(given, SETTINGS).numbers
    for name, rows in (("seen", slice(0, 400)), ("unseen", slice(400, None))):
        greedy = (given["scores"]["em"] == 40).to_numpy()[rows]
        log_p = given["extraction"].query("scheme == @SCHEMES[0]")["log_p"].to_numpy()[rows]
        one, many = within(log_p, 1), within(log_p, 1000)
        found = {"n": len(greedy), "greedy": greedy.sum(), "one": one.sum(), "many": many.sum()}
        assert numbers[name] == found | {"missed": (many & ~greedy).sum()}


def test_every_curve_is_the_share_of_its_group():
    given = tables(60)
    drawing = extraction.draw(given, SETTINGS)
    data = drawing.data
    lines = data[data["panel"] == "a"]
    assert len(lines) == 2 * 2 * 51
    for row in lines.iloc[::17].itertuples():
        log_p = given["extraction"].query("scheme == @row.scheme")["log_p"].to_numpy()
        rows = slice(0, 400) if row.group == "seen" else slice(400, None)
        expected = within(log_p[rows], row.n_draws).mean()
        assert row.fraction == pytest.approx(expected, abs=1 / 60 + 1e-9)
    share = (given["scores"]["em"] == 40)[:400].mean()
    *drawn, greedy, _ = drawing.figure.axes[0].lines
    for line, ((scheme, group), curve) in zip(
        drawn, lines.groupby(["scheme", "group"], sort=False), strict=True
    ):
        assert line.get_xydata().tolist() == curve[["n_draws", "fraction"]].to_numpy().tolist()
        assert (colour_of(line) == COLOURS["unseen"]) == (group == "unseen")
        assert group == "unseen" or line.get_label() == scheme
    assert greedy.get_ydata() == pytest.approx([share, share])


def test_bins_of_repeats_add_up_and_unseen_paragraphs_stand_beside_them():
    given = tables(60)
    drawing = extraction.draw(given, SETTINGS)
    bins, axes = drawing.data.query("panel == 'b'"), drawing.figure.axes[1]
    curves = zip(axes.lines[:10:2], axes.lines[1:10:2], bins.groupby("shown", sort=False), strict=True)
    for line, beside, (shown, rows) in curves:
        seen, unseen = (
            rows.loc[rows["group"] == group, ["repeats_mean", "fraction"]] for group in ("seen", "unseen")
        )
        (places, heights), (own, share) = line.get_xydata().T, beside.get_xydata()[0]
        moved = places / seen["repeats_mean"]
        assert line.get_label() == shown and heights.tolist() == seen["fraction"].tolist()
        assert moved.min() > 0.9 and moved.max() < 1.11 and moved.std() < 1e-9
        assert own == pytest.approx(0.5 * moved.mean() ** 2) and share == unseen["fraction"].item()
        assert colour_of(line) == colour_of(beside)
    assert axes.get_xscale() == "log"
    for shown, rows in bins.groupby("shown"):
        assert rows.query("group == 'seen'")["n_paragraphs"].sum() == 400, shown
        beside = rows.query("group == 'unseen'")
        assert beside[["n_paragraphs", "n_out", "repeats_mean"]].to_numpy().tolist() == [[60, 0, 0]]
    log_p = given["extraction"].query("scheme == @SCHEMES[0]")["log_p"].to_numpy()[:400]
    out = bins.query("shown == '10 draws' and group == 'seen'")["n_out"].sum()
    assert out == within(log_p, 10).sum()


def test_sampled_paragraphs_are_lines_by_set():
    given = tables(60)
    drawing = extraction.draw(given, SETTINGS)
    log_p = given["extraction"].query("scheme == @SCHEMES[0]")["log_p"].to_numpy()[::3]
    log_near = given["near_extraction"]["log_p_nearly"].to_numpy()
    names = given["sets"]["set"].to_numpy()[::3]
    points = drawing.data.query("panel == 'c'")
    assert points["id"].tolist() == given["near_extraction"]["id"].tolist()
    np.testing.assert_allclose(points["nearly"], log_near / np.log(10))
    lines = iter(drawing.figure.axes[2].lines)
    for name in np.unique(names):
        for chances in (log_p, log_near):  # a line each
            shares = [within(chances[names == name], n).mean() for n in extraction.CURVE]
            assert next(lines).get_ydata() == pytest.approx(shares, abs=0.06)
