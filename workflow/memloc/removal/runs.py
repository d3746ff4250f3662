"""Which runs of edits figures show and claims judge."""

import pandas as pd


def own_runs(edits: pd.DataFrame) -> pd.DataFrame:
    """The runs that are not made only to compare with the authors' code."""
    return edits[edits["reference"] == edits["reference"].all()]
