"""Which perturbation of a paragraph is the strongest: for its perturbed counterpart, figures and claims."""

import pandas as pd

from memloc.tables.terms.perturbation import UNPERTURBED


def strongest(perturbation: pd.DataFrame) -> pd.DataFrame:
    """The perturbed row of each paragraph with the lowest EM; on ties the first position, then draw."""
    rows = perturbation[perturbation["position"] != UNPERTURBED]
    return rows.sort_values(["em", "position", "draw"]).groupby("id", sort=False).head(1)
