"""Figure detection on a made table: every stratum, only one, and none."""

import numpy as np
import pandas as pd
import pytest
from figure_labels import SETTINGS, checked

from memloc.figures import detection

STRATA = ("all", "boundary", "unseen")
NAMES = tuple(detection.FEATURES)


def table(strata):
    random, rows = np.random.default_rng(0), []
    for place, stratum in enumerate(strata):
        sizes = {"n_positive": 40 + place, "n_negative": 90 + place, "n_clusters": 70 + place}
        for n_seen in (5, 10, 20, 30, 40, 50):
            for name in NAMES:
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
    named = " ".join(
        f"({letter})" for letter, name in zip("abc", detection.STRATA, strict=True) if name in better
    )
    assert (f"words alone do best in {named}: " in text) == (len(better) > 0) == ("alone do best" in text)
