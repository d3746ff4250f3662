"""How many units a claim rests on, in words."""

from typing import Any

import pandas as pd

from memloc.tables.terms.claims import counted


def sample_sizes(claim: Any) -> str:
    """Units of a row of table `claims`; of both groups, where two are compared."""
    if pd.isna(claim.n_other):
        return counted(claim.n, claim.unit)
    return f"{claim.n:,} + {counted(int(claim.n_other), claim.unit)}"
