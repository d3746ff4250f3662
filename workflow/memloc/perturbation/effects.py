"""The cost of replacing prefix tokens, from table `perturbation`, for figures and claims (paper 4)."""

import pandas as pd

from memloc.tables.terms.perturbation import UNPERTURBED

LARGE_DROP = 0.9  # of the continuation: 45 tokens of the paper's 50


def em_drops(perturbation: pd.DataFrame) -> pd.DataFrame:
    """The perturbed rows with `em_drop`: unperturbed minus perturbed EM of the paragraph, in tokens."""
    perturbed = perturbation["position"] != UNPERTURBED
    rows, unperturbed = perturbation[perturbed], perturbation[~perturbed].set_index("id")["em"]
    return rows.assign(em_drop=rows["id"].map(unperturbed) - rows["em"])


def strongest(perturbation: pd.DataFrame) -> pd.DataFrame:
    """The perturbed row of each paragraph with the lowest EM; of equal rows the first position and draw."""
    rows = perturbation[perturbation["position"] != UNPERTURBED]
    return rows.sort_values(["em", "position", "draw"]).groupby("id", sort=False).head(1)


def before_last(drops: pd.DataFrame, n_prefix: int) -> pd.DataFrame:
    """The drops at all positions but the last, where the first token of the continuation is predicted."""
    return drops[drops["position"] < n_prefix - 1]


def drop_matrix(drops: pd.DataFrame) -> pd.DataFrame:
    """Mean EM drop over draws, by paragraph (rows) and position (columns)."""
    return drops.pivot_table(index="id", columns="position", values="em_drop", aggfunc="mean")


def lean_to_end(matrix: pd.DataFrame) -> pd.Series:
    """Drop of each paragraph over the second half of the positions minus that over the first half, as a share
    of both; missing where nothing drops."""
    half = matrix.shape[1] // 2
    early, late = matrix.iloc[:, :half].sum(axis=1), matrix.iloc[:, -half:].sum(axis=1)
    return (late - early) / (late + early)
