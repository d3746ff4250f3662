"""Figure models_detection on made tables: every stratum, only one, and none."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from figure_labels import checked

from memloc.figures import models_detection
from memloc.tables.schema import Lengths
from memloc.tables.schemas.detection import DETECTION_TRANSFER

STRATA = ("all", "boundary", "unseen")
MODELS = ("small", "middle", "large-long.name", "again", "largest")


def tables(strata, models=MODELS[:3], without=()):
    """Fits to another model tell 0.2 less; the first model's hand over a tenth of the residual stream."""
    rows = []
    for stratum, features, trained_on, tested_on in product(
        strata, models_detection.FEATURES, models, models
    ):
        other = trained_on != tested_on
        if (trained_on, tested_on) in without or (features == "residual" and other and trained_on != "small"):
            continue
        auroc, change = 0.9 - 0.2 * other, -0.2 if other else np.nan
        values = {"auroc": auroc, "change": change, "calibration_error": 0.05 + 0.1 * other}
        ends = {
            f"{key}{end}": values[key] + by for key in values for end, by in (("_low", -0.1), ("_high", 0.1))
        }
        row = {"stratum": stratum, "features": features, "trained_on": trained_on, "tested_on": tested_on}
        rows.append(row | values | ends | {"n_seen": 50})
    found = pd.DataFrame(rows, columns=list(DETECTION_TRANSFER.columns(Lengths())))
    return {"detection_transfer": found, "models": pd.DataFrame({"model": models})}


def caption(given):
    return checked("models_detection", models_detection.draw(given, {}))


@pytest.mark.parametrize(
    ("strata", "models"), [(STRATA, MODELS), (STRATA[:1], MODELS[:2]), ((), MODELS[:3])], ids=len
)
def test_labels_are_readable_and_the_caption_names_every_stratum(strata, models):
    drawing = models_detection.draw(tables(strata, models), {})
    text = checked("models_detection", drawing)
    assert text.count("prefix NLL 0.900 and 0.700") == len(strata)
    assert ("at the whole prefix (50 tokens)" in text) == bool(strata)
    assert ("No stratum has" in text) == (not strata)


def test_the_caption_counts_the_pairs_that_tell_less():
    given = tables(STRATA[:1], without=[("small", "middle")])
    text = caption(given)
    said = (
        "words alone 0.900 and 0.700 (less in 5 of 5 pairs beyond the interval, more in 0; calibration error"
    )
    assert f"{said} 0.050 and 0.150)" in text
    assert "residual stream, last layer 0.900 and 0.700 (less in 1 of 1 pairs" in text
    assert "5 of 6 ordered pairs of models have the same paragraphs" in text
    found = given["detection_transfer"]
    more = (found["features"] == "bag_of_words") & (found["trained_on"] == "large-long.name")
    more &= found["tested_on"] == "small"
    found.loc[more, ["change_low", "change", "change_high"]] = [0.1, 0.2, 0.3]
    found.loc[more, "auroc"] += 0.5
    open_end = (found["features"] == "bag_of_words") & (found["trained_on"] == "large-long.name")
    found.loc[open_end & (found["tested_on"] == "middle"), "change_high"] = 0.1
    text = caption(given)
    assert "words alone 0.900 and 0.800 (less in 3 of 5 pairs beyond the interval, more in 1;" in text
    alone = [pair for pair in product(MODELS[:3], MODELS[:3]) if pair[0] != pair[1]]
    text = caption(tables(STRATA[:1], without=alone))
    assert "prefix NLL 0.900 (no pair)" in text and "0 of 6 ordered pairs" in text


def test_marks_stand_at_the_models_that_are_tested_and_own_fits_are_filled():
    given = tables(STRATA)
    found = given["detection_transfer"]
    strata, features = (list(dict.fromkeys(found[name])) for name in ("stratum", "features"))
    found["auroc"] += found["stratum"].map(strata.index) / 50 + found["features"].map(features.index) / 500
    drawing = models_detection.draw(given, {})
    models = MODELS[:3]
    grid = np.array(drawing.figure.axes).reshape(3, -1)
    for (panel, stratum, name), model in product(
        [
            (grid[y, x], *names)
            for (y, x), names in zip(np.ndindex(3, 5), product(strata, features), strict=True)
        ],
        models,
    ):
        own = found[(found["stratum"] == stratum) & (found["features"] == name)]
        own = own[own["trained_on"] == model].set_index("tested_on")
        container = panel.containers[models.index(model)]
        points, _, (bars,) = container
        assert container.get_label() == model
        segments = iter(bars.get_segments())
        for x, y in points.get_xydata():
            row = own.loc[models[round(x)]] if models[round(x)] in own.index else None
            ends = next(segments)
            if row is not None:
                assert y == row["auroc"] and ends[:, 1] == pytest.approx(
                    (row["auroc_low"], row["auroc_high"])
                )
    panel = grid[0, 0]
    assert [line.get_ydata()[0] for line in panel.lines if line.get_linestyle() == "-"][0] == 0.5, "chance"
    filled = [line for line in panel.lines if len(line.get_xdata()) == 1]
    assert [round(float(line.get_xdata()[0])) for line in filled] == [0, 1, 2]
    assert [float(line.get_ydata()[0]) for line in filled] == [0.9] * 3
    assert all(line.get_markerfacecolor() != "white" for line in filled)
    small = [line for line in panel.lines if len(line.get_xdata()) == 3 and line.get_marker() == "o"][0]
    assert [float(height) for height in small.get_ydata()] == pytest.approx([0.9, 0.7, 0.7])
