"""What a near-copy is worth: what its caption says where there are few, or none."""

import numpy as np
import pandas as pd
import pytest
from figure_labels import SETTINGS, checked
from made_tables import frame_of

from memloc.figures import near_copies
from memloc.tables.columns import Lengths
from memloc.tables.terms.near_copies import NESTED


def tables(n_near, worth):
    """Sixty paragraphs that occur once, a third of them recited; `n_near` of these have near-copies."""
    ids = np.arange(60)
    more = np.where(ids < n_near, 3, 0)
    far = ("within_10", "within_20", "within_50")
    within = {name: 1 + (name in far) * more for name in NESTED[1:]}
    copies = frame_of("near_copies", within_0=1, **within, expected=0.3)
    few = {"worth": worth, "low": worth and worth / 2, "high": worth and worth * 2}
    kinds = frame_of("copy_worth", copies=list(NESTED[1:]), n_paragraphs=n_near, n_groups=9, **few)
    scores = frame_of("scores", Lengths(100, 50), em=np.where(ids < 20, 50, 0))
    return {"near_copies": copies, "copy_worth": kinds, "scores": scores}


@pytest.mark.parametrize(
    ("n_near", "worth", "said"),
    [
        (15, 0.4, ["20 recited paragraphs that occur once, 75 (", "as 0.40 (0.20 to 0.80) of an exact copy"]),
        (3, None, ["too few near-copies to say what one is worth."]),
        (0, None, ["too few near-copies to say what one is worth."]),
    ],
)
def test_the_caption_says_what_a_near_copy_is_worth_if_it_can(n_near, worth, said):
    text = checked("near_copies", near_copies.draw(tables(n_near, worth), SETTINGS))
    assert [part for part in said if part not in text] == []
    assert ("2405.15523" in text) == (n_near > 0)


def test_the_caption_tells_written_copies_from_found_ones():
    made = tables(15, 0.4)
    assert "Chance placed these copies" in checked("near_copies", near_copies.draw(made, SETTINGS))
    made["near_copies"] = made["near_copies"].assign(within_20=pd.NA, within_50=pd.NA)
    found = made["copy_worth"][~made["copy_worth"]["copies"].isin(["within_20", "within_50"])]
    text = checked("near_copies", near_copies.draw(made | {"copy_worth": found}, SETTINGS))
    assert "Nobody placed these copies" in text and "a tenth edited" in text and " or half" not in text


def test_each_kind_says_how_many_with_such_copies_are_recited():
    """All 15 paragraphs with near-copies, of which two are not recited here."""
    made = tables(15, 0.4)
    made["scores"].loc[[3, 4], "em"] = 0
    rows = near_copies.draw(made, SETTINGS).data.query("panel == 'b'").set_index("copies")
    assert rows["n_recited"].to_dict() == dict.fromkeys(rows.index, 0) | {"within_10": 13}
    made["near_copies"].loc[made["near_copies"]["id"] > 9, [*NESTED]] += 1
    said = checked("near_copies", near_copies.draw(made, SETTINGS))
    assert "Of 8 recited paragraphs that occur once" in said
