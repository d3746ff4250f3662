"""The cost of replacing prefix tokens, from table `perturbation`, for figures and claims (paper 4)."""

import pandas as pd

from memloc.tables.terms.perturbation import UNPERTURBED

LARGE_DROP = 0.9  # of the continuation: 45 tokens of the paper's 50
FEW = 0.2  # of the prefix: 10 tokens of the paper's 50


def em_drops(perturbation: pd.DataFrame) -> pd.DataFrame:
    """The perturbed rows with `em_drop`: unperturbed minus perturbed EM of the paragraph, in tokens."""
    perturbed = perturbation["position"] >= 0
    unperturbed = perturbation[~perturbed].set_index("id")["em"]
    rows = perturbation[perturbed]
    return rows.assign(em_drop=rows["id"].map(unperturbed) - rows["em"])


def nll_rises(perturbation: pd.DataFrame) -> pd.DataFrame:
    """The perturbed rows with `nll_rise` of the own continuation (nats per token), where it is known."""
    perturbed = perturbation["position"] >= 0
    unperturbed = perturbation[~perturbed].set_index("id")["nll_original"]
    rows = perturbation[perturbed & perturbation["nll_original"].notna()]
    return rows.assign(nll_rise=rows["nll_original"] - rows["id"].map(unperturbed))


def strongest(perturbation: pd.DataFrame) -> pd.DataFrame:
    """The perturbed row of each paragraph with the lowest EM; on ties the first position, then draw."""
    rows = perturbation[perturbation["position"] != UNPERTURBED]
    return rows.sort_values(["em", "position", "draw"]).groupby("id", sort=False).head(1)


def before_last(drops: pd.DataFrame, n_prefix: int) -> pd.DataFrame:
    """The drops at all positions but the last, whose token predicts the first one of the continuation."""
    return drops[drops["position"] < n_prefix - 1]


def drop_matrix(drops: pd.DataFrame, value: str = "em_drop", by: str = "position") -> pd.DataFrame:
    """A value of each paragraph (rows) at each position, or by another column (columns), mean over draws."""
    return drops.pivot_table(index="id", columns=by, values=value, aggfunc="mean")


def late_minus_early(matrix: pd.DataFrame) -> pd.Series:
    """Mean drop of each paragraph over the second half of the positions minus that over the first half."""
    half = matrix.shape[1] // 2
    return matrix.iloc[:, -half:].mean(axis=1) - matrix.iloc[:, :half].mean(axis=1)


def few_kept(kept_tokens: pd.DataFrame, n_prefix: int) -> pd.DataFrame:
    """The rows with the largest number of kept tokens that counts as few; of a short prefix, one token."""
    few = kept_tokens[kept_tokens["n_kept"] <= max(FEW * n_prefix, 1)]
    return few[few["n_kept"] == few["n_kept"].max()]
