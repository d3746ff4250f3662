"""Which runs of edits are shown and judged."""

import pandas as pd
import pytest

from memloc.removal.runs import own_runs


@pytest.mark.parametrize(
    ("reference", "shown"),
    [([False, True, False], [0, 2]), ([False, False], [0, 1]), ([True, True], [0, 1])],
)
def test_runs_as_the_authors_are_shown_only_where_there_are_no_others(reference, shown):
    edits = pd.DataFrame({"id": range(len(reference)), "reference": reference})
    assert own_runs(edits)["id"].tolist() == shown
