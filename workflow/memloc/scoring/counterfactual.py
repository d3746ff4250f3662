"""Counterfactual memorization: how training on a paragraph changes a model's scores of it (2112.12938).

The unit is the training: models differ in their half of the paragraphs, their first weights and the order of
their text, so a paragraph's interval is over all of these. Models that never saw a paragraph may have seen
one that is nearly the same, and recite it for that reason (2506.20481).
"""

import numpy as np
import pandas as pd
from jaxtyping import Bool

from memloc.run.seeds import generator
from memloc.statistics.uncertainty import difference, proportion, proportion_difference

MEASURES = ("em", "recited", "nll")
RUN = 8  # tokens
N_RUNS = 10  # common runs of two paragraphs that are near-duplicates
MOST = 50  # a run that more paragraphs hold is a phrase
HALF = 0.5  # share of the models that must recite a paragraph, so that it counts as one that comes out


def halves(n_models: int, n_paragraphs: int, seed: int) -> Bool[np.ndarray, "model paragraph"]:
    """Which paragraphs each model is trained on. Half of the models (rounded down) train on a paragraph. They
    are drawn anew for each paragraph, so two paragraphs share a training by chance alone.
    """
    random = generator(seed, "counterfactual", "halves")
    places = np.tile(np.arange(n_models)[:, None], n_paragraphs)
    return random.permuted(places, axis=0) < n_models // 2


def counterfactual(half_scores: pd.DataFrame, n_continuation: int) -> pd.DataFrame:
    """A row per paragraph: how many models were trained with and without it. For every measure, the means of
    both kinds of models, and their difference with its interval. A mean is missing if no model is of its
    kind, an interval if fewer than six models are of either kind.
    """
    scores = half_scores.assign(recited=(half_scores["em"] == n_continuation).astype(float))
    found = []
    for id, own in scores.groupby("id", sort=False):
        seen, unseen = own[own["trained"]], own[~own["trained"]]
        row = {"id": id, "n_with": len(seen), "n_without": len(unseen)}
        for measure in MEASURES:
            row |= _compared(measure, seen[measure], unseen[measure])
        found.append(row)
    return pd.DataFrame(found).replace([-np.inf, np.inf], np.nan)


def _compared(measure: str, *groups: pd.Series) -> dict[str, float]:
    if measure == "recited":
        found = proportion_difference(*(proportion(int(each.sum()), len(each)) for each in groups))
    else:
        found = difference(*groups)
    names = ("with", "without", "difference", "low", "high")
    values = (*(each.mean() for each in groups), *found[:3])
    return {f"{measure}_{name}": value for name, value in zip(names, values, strict=True)}


def near_duplicates(paragraphs: pd.DataFrame) -> pd.DataFrame:
    """Pairs of paragraphs with ten runs of eight tokens in common, in both orders (columns: id, near)."""
    windows = np.lib.stride_tricks.sliding_window_view(np.stack(paragraphs["tokens"]), RUN, axis=1)
    _, texts = np.unique(windows.reshape(-1, RUN), axis=0, return_inverse=True)
    ids = np.repeat(paragraphs["id"].to_numpy(), windows.shape[1])
    runs = pd.DataFrame({"id": ids, "text": texts.ravel()}).drop_duplicates()
    runs = runs[runs.groupby("text")["id"].transform("size").between(2, MOST)]
    pairs = runs.merge(runs.rename(columns={"id": "near"}), on="text")
    n_common = pairs[pairs["id"] != pairs["near"]].groupby(["id", "near"]).size()
    return n_common[n_common >= N_RUNS].index.to_frame(index=False)


def influence(half_scores: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """NLL in models that saw a near-duplicate but not the paragraph, minus NLL in models that saw neither.

    In nats per token. A row per paragraph that has a near-duplicate and both kinds of models (columns: id,
    near_difference). The difference has no interval: of 24 models, six or so are of each kind.
    """
    never = half_scores.loc[~half_scores["trained"], ["model", "id", "nll"]]
    saw = half_scores.loc[half_scores["trained"], ["model", "id"]].rename(columns={"id": "near"})
    saw = saw.merge(pairs, on="near")[["model", "id"]].drop_duplicates().assign(saw=True)
    own = never[never["id"].isin(pairs["id"])].merge(saw, on=["model", "id"], how="left")
    means = own.groupby(["id", own["saw"].notna()])["nll"].mean().unstack().reindex(columns=[False, True])
    return (means[True] - means[False]).dropna().rename("near_difference").reset_index()


def comes_out_anyway(table: pd.DataFrame) -> pd.Series:
    """Whether half of the models that never saw a paragraph recite it, or more."""
    return table["recited_without"] >= HALF


def only_moved(table: pd.DataFrame) -> pd.Series:
    """Whether no model ever recites a paragraph, and training on it still lowers its NLL for certain."""
    never = (table["recited_with"] == 0) & (table["recited_without"] == 0)
    return never & (table["nll_high"] < 0)
