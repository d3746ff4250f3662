"""The claim on kinds of recitation, on made-up paragraphs with known answers."""

import numpy as np
import pytest
from made_claims import judged
from made_tables import frame_of


@pytest.mark.parametrize(("n_rare", "verdict"), [(75, "holds"), (25, "does not hold"), (50, "too few")])
def test_only_rare_paragraphs_count_and_most_are_more_than_half(n_rare, verdict):
    ids = np.arange(300)
    kind = np.where(ids < n_rare, "reconstruction", np.where(ids < 100, "recollection", "reconstruction"))
    copies = frame_of("near_copies", id=ids, within_0=np.where(ids < 100, 5, 6))
    found = judged("kinds", {"kinds": frame_of("kinds", id=ids, kind=kind), "near_copies": copies})
    row = found.loc["rare_ones_are_reconstructed"]
    assert (row["verdict"], row["value"], row["n"]) == (verdict, n_rare / 100, 100)


def test_without_the_text_nothing_is_judged():
    assert set(judged("kinds", {})["verdict"]) == {"not applicable"}
