"""How captions and tables write intervals."""

import numpy as np
import pandas as pd

from memloc.run.templates import fill
from memloc.statistics.uncertainty import Interval, mean, table


def test_captions_write_an_interval_or_the_number_of_units():
    numbers = {"wide": Interval(1.234, -0.5, 2.5, 20), "few": mean([1.0, 2.0])}
    assert fill("{{ wide|interval(1) }}, {{ few|interval(2) }}", numbers) == "1.2 (-0.5 to 2.5), 1.50 (n = 2)"


def test_infinite_ends_are_missing_in_tables():
    index = pd.Index([3, 7], name="position")
    found = table([mean(range(10)), mean([4.0])], index)
    assert found.columns.tolist() == ["value", "low", "high", "n"] and found.index.equals(index)
    assert found.loc[7].tolist()[0::3] == [4, 1] and found.loc[7, ["low", "high"]].isna().all()
    assert np.isfinite(found.loc[3].astype(float)).all()
