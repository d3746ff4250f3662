"""Figure detection on a made table: every stratum, only one, and none."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn_parts import words
from figure_labels import clipped_labels, overlapping_labels

from memloc.figures import detection
from memloc.run.templates import fill
from memloc.settings.sections import sections

REPORT = Path(__file__).parents[3] / "workflow/report"
SETTINGS = sections({"paragraph": {"length": 100, "prefix": 50}})
STRATA = ("all", "boundary", "unseen")
SAID = ("recited or not", "leave open whether a paragraph is recited", "recited, or unseen ones")
LINES = {
    "prefix NLL": "nll",
    "Min-K%++": "min_k_plus",
    "NLL by zlib": "zlib",
    "words alone": "bag_of_words",
    "attention": "attention",
    "residual stream, last layer": "residual_11",
    "the same, untrained model": "residual_untrained",
    "NLL and activations": "nll_and_activations",
    "exposure (oracle)": "exposure",
    "gradients": "gradients",
    "shuffled labels": "shuffled_labels",
}
NAMES = (*[name for name in detection.SHOWN if name != "residual"], "residual_8", "residual_11", "min_k")


def table(strata):
    random, rows = np.random.default_rng(0), []
    for place, stratum in enumerate(strata):
        sizes = {"n_positive": 40 + place, "n_negative": 90 + place, "n_clusters": 70 + place}
        for n_seen in (5, 10, 20, 30, 40, 50):
            names = [*NAMES, "gradients", "shuffled_labels"] if n_seen == 50 else NAMES
            for name in names:
                auroc, gain = random.uniform(0.5, 0.95), random.uniform(-0.2, 0.2)
                values = {"auroc": auroc, "gain": gain}
                ends = {
                    f"{key}{end}": value + sign * 0.03
                    for key, value in values.items()
                    for end, sign in (("", 0), ("_low", -1), ("_high", 2))
                }
                rows.append({"features": name, "stratum": stratum, "n_seen": n_seen, **ends, **sizes})
    columns = ["features", "stratum", "n_seen", "auroc", "auroc_low", "auroc_high"]
    columns += ["gain", "gain_low", "gain_high", "n_positive", "n_negative", "n_clusters"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize("strata", [STRATA, STRATA[:1], ()], ids=len)
def test_labels_are_readable_and_the_caption_names_every_stratum(strata):
    given = table(strata)
    drawing = detection.draw({"detection": given}, SETTINGS)
    assert clipped_labels(drawing.figure) == [] and overlapping_labels(drawing.figure) == []
    text = " ".join(fill((REPORT / "detection.rst").read_text(), drawing.numbers | {"study": "s"}).split())
    assert "nan" not in text
    for place in range(len(strata)):
        sizes = f"{40 + place} against {90 + place} paragraphs in {70 + place} groups"
        assert f"{SAID[place]}: {sizes}" in text
    assert ("No stratum has" in text) == (not strata)
    labels = {text.get_text() for legend in drawing.figure.legends for text in legend.get_texts()}
    assert labels == (set(LINES) if strata else set())


def test_what_is_drawn_is_what_the_table_holds():
    given = table(STRATA)
    given["gain_low"] = given["gain_low"].where(given["n_seen"] < 50, given["gain"] + 1e-12)  # as rounded
    drawing = detection.draw({"detection": given}, SETTINGS)
    pd.testing.assert_frame_equal(drawing.data[given.columns], given)
    assert (drawing.data["lead"] + drawing.data["n_seen"] == 50).all()
    panel = drawing.figure.axes[1]
    assert panel.get_xlim()[0] > panel.get_xlim()[1], "time goes to the right"
    line = next(line for line in panel.lines if line.get_label() == "residual stream, last layer")
    rows = given[(given.features == "residual_11") & (given.stratum == "boundary")]
    assert sorted(line.get_ydata()) == pytest.approx(sorted(rows.auroc))
    *panels, gains = drawing.figure.axes
    assert panels[0].get_ylabel() == "AUROC"
    titles = ["all seen", "boundary zone", "seen or unseen"]
    for place, (panel, bars, stratum) in enumerate(zip(panels, gains.containers, STRATA, strict=True)):
        assert panel.get_title() == titles[place] == bars.get_label()
        assert panel.lines[-1].get_ydata() == [0.5, 0.5], "chance"
        lines = {line.get_label(): line.get_xydata().tolist() for line in panel.lines}
        own = given[given.stratum == stratum].sort_values("n_seen", ascending=False)
        for label, feature in LINES.items():
            rows = own[own.features == feature]
            assert lines[label] == [[50 - row.n_seen, row.auroc] for row in rows.itertuples()]
        for band, feature in zip(panel.collections, detection.WITH_INTERVAL, strict=True):
            corners = band.get_paths()[0].vertices
            for row in own[own.features == feature].itertuples():
                ends = corners[corners[:, 0] == 50 - row.n_seen, 1]
                assert (ends.min(), ends.max()) == (row.auroc_low, row.auroc_high)
        points, _, (ends,) = bars
        rows = own[own.features == "nll_and_activations"]
        for point, end, row in zip(points.get_xydata(), ends.get_segments(), rows.itertuples(), strict=True):
            assert point.tolist() == pytest.approx([50 - row.n_seen + 0.8 * (place - 1), row.gain])
            assert end[:, 1] == pytest.approx((row.gain_low, row.gain_high))
    assert words(gains.get_legend().get_texts()) == titles and gains.lines[-1].get_ydata() == [0, 0]
    assert len({points.get_color() for points, *_ in gains.containers}) == len(STRATA)


def test_numbers_are_those_of_the_longest_and_the_shortest_prefix():
    given = table(STRATA)
    numbers = detection.draw({"detection": given}, SETTINGS).numbers
    rows = given[(given.stratum == "boundary") & (given.features == "nll")].set_index("n_seen")
    found = numbers["strata"]["boundary"]
    assert found["whole"]["nll"]["auroc"][:3] == tuple(rows.loc[50, ["auroc", "auroc_low", "auroc_high"]])
    assert found["whole"]["nll"]["gain"][:3] == tuple(rows.loc[50, ["gain", "gain_low", "gain_high"]])
    assert found["short"]["nll"]["auroc"].value == rows.loc[5, "auroc"] and found["n_short"] == 5
    assert found["whole"]["nll"]["auroc"].n == 71, "groups of paragraphs, which are resampled"
    assert numbers["last_layer"] == "residual_11"
