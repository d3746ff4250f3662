"""Groups of rows that have anything in common."""

import numpy as np

from memloc.data.groups import joined


def test_rows_with_any_label_in_common_are_joined():
    found = joined(np.array(list("aabcde")), np.array([1, 2, 2, 3, 4, 4]))
    assert found[0] == found[1] == found[2] and found[4] == found[5]
    assert len(np.unique(found)) == 3 and found.max() == 2
