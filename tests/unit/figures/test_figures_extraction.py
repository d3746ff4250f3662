"""Figure `extraction`: what is plotted and said is counted anew from probabilities that are made up."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn_parts import colour_of, legend_of
from figure_labels import clipped_labels, overlapping_labels
from matplotlib.colors import to_rgb

from memloc.figures import extraction
from memloc.figures.parts.style import COLOURS
from memloc.run.templates import fill
from memloc.settings.sections import sections

REPORT = Path(__file__).parents[3] / "workflow/report"
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
    chances = [
        pd.DataFrame({"id": ids, "scheme": s, "log_p": p})
        for s, p in zip(SCHEMES, (truncated, log_p), strict=True)
    ]
    return {
        "extraction": pd.concat(chances).sort_values("id", kind="stable", ignore_index=True),
        "scores": pd.DataFrame({"id": ids, "em": em, "nll": 1.0}),
        "sets": pd.DataFrame({"id": ids, "set": sets}),
        "paragraphs": pd.DataFrame({"id": ids, "count": repeats}).assign(
            continuation_count=pd.array(repeats, "Int64")
        ),
    }


def within(log_p, n_draws, confidence=0.9):
    """Paragraphs of which n draws give at least one, by the formula itself."""
    return 1 - (1 - np.exp(log_p)) ** n_draws >= confidence


def caption(drawing):
    text = (REPORT / "extraction.rst").read_text()
    return " ".join(fill(text, drawing.numbers | {"study": "made up"}).split())


@pytest.mark.parametrize("n_unseen", [0, 60])
def test_labels_are_readable_and_the_caption_says_whether_there_are_controls(n_unseen):
    drawing = extraction.draw(tables(n_unseen), SETTINGS)
    assert clipped_labels(drawing.figure) == [] and overlapping_labels(drawing.figure) == []
    text = caption(drawing)
    assert "nan" not in text and ("No paragraph is known to be unseen" in text) == (n_unseen == 0)
    assert ("* 60 unseen paragraphs" in text) == (n_unseen == 60)


def test_numbers_are_counted_anew():
    given = tables(60)
    numbers = extraction.draw(given, SETTINGS).numbers
    for name, rows in (("seen", slice(0, 400)), ("unseen", slice(400, None))):
        greedy = (given["scores"]["em"] == 40).to_numpy()[rows]
        group = numbers["groups"][name]
        assert (group["n"], group["n_greedy"]) == (len(greedy), greedy.sum())
        for scheme in SCHEMES:
            log_p = given["extraction"].query("scheme == @scheme")["log_p"].to_numpy()[rows]
            for n_draws, found in group["by_scheme"][scheme].items():
                out = within(log_p, n_draws)
                assert found == (out.sum(), (out & ~greedy).sum())
    assert numbers["groups"]["seen"]["by_scheme"]["T = 1"][1000][1] > 20, "greedy misses some"


def test_every_curve_is_the_share_of_its_group():
    given = tables(60)
    drawing = extraction.draw(given, SETTINGS)
    data = drawing.data
    lines = data[data["panel"].isin(["a", "b"])]
    assert lines.groupby("panel").size().to_dict() == {"a": 2 * 4 * 51, "b": 2 * 2 * 51}
    for row in lines.iloc[::17].itertuples():
        log_p = given["extraction"].query("scheme == @row.scheme")["log_p"].to_numpy()
        rows = slice(0, 400) if row.group == "seen" else slice(400, None)
        expected = within(log_p[rows], row.n_draws, row.confidence).mean()
        assert row.fraction == pytest.approx(expected, abs=1 / 60 + 1e-9)
    share = (given["scores"]["em"] == 40)[:400].mean()
    for panel, axes in zip("ab", drawing.figure.axes, strict=False):
        curves = data[data["panel"] == panel].groupby(["confidence", "scheme", "group"], sort=False)
        *drawn, greedy, _ = axes.lines
        for line, ((confidence, scheme, group), curve) in zip(drawn, curves, strict=True):
            assert line.get_xydata().tolist() == curve[["n_draws", "fraction"]].to_numpy().tolist()
            assert (colour_of(line) == COLOURS["unseen"]) == (group == "unseen")
            label = f"{confidence:g}" if panel == "a" else scheme
            assert group == "unseen" or line.get_label() == label
        assert greedy.get_ydata() == [share, share]
        labels = ["0.1", "0.5", "0.9", "0.99"] if panel == "a" else list(SCHEMES)
        assert list(legend_of(axes)) == [*labels, "greedy", "unseen"]
        assert legend_of(axes)["unseen"] == COLOURS["unseen"]
        title = axes.get_legend().get_title().get_text()
        assert title == ("confidence" if panel == "a" else "")
    assert (lines["n_draws"].min(), lines["n_draws"].max()) == (1, pytest.approx(1e5))
    dashes = {line.get_label(): line.get_linestyle() for line in drawing.figure.axes[1].lines}
    assert (dashes[SCHEMES[0]], dashes["greedy"]) == ("-", ":") and dashes[SCHEMES[1]] not in "-:"
    titles = [axes.get_title() for axes in drawing.figure.axes]
    assert titles == [SCHEMES[0], "confidence 0.9", "confidence 0.9"]


def test_more_sure_and_more_draws_are_darker():
    for axes in extraction.draw(tables(0), SETTINGS).figure.axes[::2]:
        brightness = [sum(to_rgb(colour)) for colour in legend_of(axes).values()][:4]
        assert brightness == sorted(brightness, reverse=True)


def test_bins_of_repeats_add_up_and_unseen_paragraphs_stand_beside_them():
    given = tables(60)
    drawing = extraction.draw(given, SETTINGS)
    bins, axes = drawing.data.query("panel == 'c'"), drawing.figure.axes[2]
    assert list(legend_of(axes)) == ["1 draw", "10 draws", "100 draws", "1,000 draws", "greedy"]
    assert ("unseen", (0.5, 0.06)) in [(text.get_text(), text.get_position()) for text in axes.texts]
    curves = zip(axes.lines[:10:2], axes.lines[1:10:2], bins.groupby("shown", sort=False), strict=True)
    for line, beside, (shown, rows) in curves:
        seen, unseen = (
            rows.loc[rows["group"] == group, ["repeats_mean", "fraction"]] for group in ("seen", "unseen")
        )
        assert line.get_label() == shown and line.get_xydata().tolist() == seen.to_numpy().tolist()
        assert beside.get_xydata().tolist() == [[0.5, unseen["fraction"].item()]]
        assert colour_of(line) == colour_of(beside)
    assert axes.get_xscale() == "log"
    for shown, rows in bins.groupby("shown"):
        assert rows.query("group == 'seen'")["n_paragraphs"].sum() == 400, shown
        beside = rows.query("group == 'unseen'")
        assert beside[["n_paragraphs", "n_out", "repeats_mean"]].to_numpy().tolist() == [[60, 0, 0]]
    log_p = given["extraction"].query("scheme == @SCHEMES[0]")["log_p"].to_numpy()[:400]
    out = bins.query("shown == '10 draws' and group == 'seen'")["n_out"].sum()
    assert out == within(log_p, 10).sum()


def test_bins_are_those_of_the_indexes_where_the_study_names_some():
    given = tables(60)
    ids = given["scores"]["id"]
    index = pd.DataFrame({"id": ids, "count": 0, "continuation_count": np.where(ids < 30, 0, 2 + ids % 50)})
    drawing = extraction.draw(given | {"exposure": index}, SETTINGS)
    assert clipped_labels(drawing.figure) == [] and overlapping_labels(drawing.figure) == []
    bins = drawing.data.query("panel == 'c' and shown == 'greedy' and group == 'seen'")
    assert bins["n_paragraphs"].sum() == 370 and bins["repeats_max"].max() == 51
    text = caption(drawing)
    assert "of the continuation in the indexes of a corpus" in text
    assert "The 30 whose continuation the indexes do not hold are in no bin of (c)." in text
    assert "The indexes hold the continuation of 60 of them all the same." in text


def test_draws_are_on_a_logarithmic_axis_and_axes_have_names():
    axes = extraction.draw(tables(60), SETTINGS).figure.axes
    curves = [each for each in axes if each.get_xlabel() == "draws"]
    assert [each.get_xscale() for each in curves] == ["log", "log"]
    assert {each.get_ylabel() for each in curves} == {"fraction extractable"}
    assert all(each.get_xlabel() and each.get_ylabel() for each in axes)
