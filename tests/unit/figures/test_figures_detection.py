"""Figure detection on a made table: every stratum, only one, and none."""

import numpy as np
import pandas as pd
import pytest
from drawn_parts import band_at
from figure_labels import checked

from memloc.figures import detection
from memloc.settings.sections import sections

SETTINGS = sections({"paragraph": {"length": 100, "prefix": 50}})
STRATA = ("all", "boundary", "unseen")
NAMES = tuple(detection.FEATURES)
ONCE = ("shuffled_labels",)  # at the whole prefix alone


def table(strata):
    random, rows = np.random.default_rng(0), []
    for place, stratum in enumerate(strata):
        sizes = {"n_positive": 40 + place, "n_negative": 90 + place, "n_clusters": 70 + place}
        for n_seen in (5, 10, 20, 30, 40, 50):
            for name in NAMES:
                if name in ONCE and n_seen < 50:
                    continue
                auroc, gain = random.uniform(0.5, 0.95), random.uniform(-0.2, 0.2)
                ends = {
                    f"{key}{end}": value + sign * 0.03
                    for key, value in {"auroc": auroc, "gain": gain}.items()
                    for end, sign in (("", 0), ("_low", -1), ("_high", 2))
                }
                rows.append({"features": name, "stratum": stratum, "n_seen": n_seen, **ends, **sizes})
    columns = ["features", "stratum", "n_seen", "auroc", "auroc_low", "auroc_high"]
    columns += ["gain", "gain_low", "gain_high", "n_positive", "n_negative", "n_clusters"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize("strata", [STRATA, STRATA[:1], ()], ids=len)
def test_labels_are_readable_and_the_caption_names_every_stratum(strata):
    text = checked("detection", detection.draw({"detection": table(strata)}, SETTINGS))
    for place in range(len(strata)):
        assert f"({40 + place} against {90 + place})" in text
    assert ("no kind of paragraphs has" in text) == (not strata)


@pytest.mark.parametrize("better", [STRATA, STRATA[:1], ()], ids=len)
def test_the_caption_says_where_words_alone_do_best(better):
    given = table(STRATA)
    given.loc[(given["features"] == "bag_of_words") & given["stratum"].isin(better), "auroc"] = 0.99
    given.loc[(given["features"] == "bag_of_words") & ~given["stratum"].isin(better), "auroc"] = 0.4
    text = checked("detection", detection.draw({"detection": given}, SETTINGS))
    named = ", ".join(words for name, words in detection.STRATA.items() if name in better)
    assert (f"Where words alone do best ({named})" in text) == (len(better) > 0) == ("words alone do" in text)


def test_what_is_drawn_is_what_the_table_holds():
    given = table(STRATA)
    given["gain_low"] = given["gain_low"].where(given["n_seen"] < 50, given["gain"] + 1e-12)  # as rounded
    drawing = detection.draw({"detection": given}, SETTINGS)
    pd.testing.assert_frame_equal(drawing.data[given.columns], given)
    assert (drawing.data["lead"] + drawing.data["n_seen"] == 50).all()
    (*curves, gains, first, second, third) = drawing.figure.axes
    for place, (stratum, above, below, bars) in enumerate(
        zip(detection.STRATA, curves, (first, second, third), gains.containers, strict=True)
    ):
        own = given[given.stratum == stratum].sort_values("n_seen", ascending=False)
        assert above.get_xlim()[0] > above.get_xlim()[1], "time goes to the right"
        assert above.get_ylim() == curves[0].get_ylim() and below.get_xlim() == first.get_xlim()
        for name, line, band in zip(detection.CURVES, above.lines, above.collections, strict=False):
            rows = own[own.features == name]
            assert line.get_label() == detection.FEATURES[name][0]
            assert line.get_xydata().tolist() == [[50 - row.n_seen, row.auroc] for row in rows.itertuples()]
            for row in rows.itertuples():
                assert band_at(band, 50 - row.n_seen) == (row.auroc_low, row.auroc_high)
        dots = [line for line in below.lines if line.get_marker() == "o"]
        for row, (name, dot, ends) in enumerate(
            zip(detection.FEATURES, dots, below.collections, strict=True)
        ):
            (found,) = own[(own.features == name) & (own.n_seen == 50)].itertuples()
            assert dot.get_xydata().tolist() == [[found.auroc, row]]
            assert ends.get_segments()[0][:, 0] == pytest.approx((found.auroc_low, found.auroc_high))
        points, _, (ends,) = bars
        rows = own[own.features == "nll_and_residual"]
        for point, end, row in zip(points.get_xydata(), ends.get_segments(), rows.itertuples(), strict=True):
            assert point.tolist() == pytest.approx([50 - row.n_seen + 0.8 * (place - 1), row.gain])
            assert end[:, 1] == pytest.approx((row.gain_low, row.gain_high))


def test_numbers_are_those_of_the_whole_prefix():
    given = table(STRATA)
    numbers = detection.draw({"detection": given}, SETTINGS).numbers
    rows = given[(given.stratum == "boundary") & (given.n_seen == 50)].set_index("features")
    found = numbers["strata"]["boundary"]
    assert found["nll"][:3] == tuple(rows.loc["nll", ["auroc", "auroc_low", "auroc_high"]])
    assert found["gain"][:3] == tuple(rows.loc["nll_and_residual", ["gain", "gain_low", "gain_high"]])
    assert found["nll"].n == 71, "groups of paragraphs, which are resampled"
