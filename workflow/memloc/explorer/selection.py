"""The paragraphs on the page, and their rows in its list."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from memloc.data.sets import exposure
from memloc.explorer.json_values import json_rows

SCORES = {
    "em": "exact match",
    "nll": "NLL",
    "exposure": "exposure",
    "extraction": "extraction probability",
}
N_PARAGRAPHS = 200  # most paragraphs on the page, which opens at once
N_BINS = 80  # bins of the NLL in the picture of all paragraphs


def chosen_ids(tables: Mapping[str, pd.DataFrame], n: int) -> list[int]:
    """Ids of at most `n` paragraphs: those with a perturbed version, then the sampled ones, then those whose
    continuation analyses use; the sets take turns. In the order of the table.
    """
    sets = tables["sets"]
    pairs = tables["perturbed_paragraphs"]["id"] if "perturbed_paragraphs" in tables else ()
    ranks = pd.DataFrame(
        {
            "pair": ~sets["id"].isin(pairs),
            "sampled": ~sets["sampled"],
            "used": sets["continuation"].isna(),
        }
    )
    turn = sets.groupby([sets["set"], *(ranks[name] for name in ranks)]).cumcount()
    order = ranks.assign(turn=turn).sort_values([*ranks, "turn"], kind="stable").index[:n]
    return sets.loc[order.sort_values(), "id"].tolist()


def paragraph_rows(ids: list[int], tables: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """A row of the list for each paragraph: set, text, origin and every score to sort by."""
    rows = tables["sets"][["id", "set"]].merge(tables["scores"][["id", "em", "nll"]], on="id")
    texts = tables["paragraphs"].drop(columns="tokens")
    rows = rows.merge(texts.assign(exposure=exposure(texts)), on="id")
    if "extraction" in tables:
        rows["extraction"] = rows["id"].map(np.exp(tables["extraction"].set_index("id")["log_p"]))
    rows["source"] = rows["file"].fillna("")
    columns = ["id", "set", "text", "source", *SCORES]
    return json_rows(rows.set_index("id").loc[ids].reset_index().reindex(columns=columns))


def corpus_counts(
    parts: Iterable[pd.DataFrame], sets: pd.DataFrame, n_vocabulary: int
) -> Int[np.ndarray, "vocabulary"]:
    """How often each token occurs in the memorized and non-memorized paragraphs, from which rarity follows.

    `parts` are pieces of table `paragraphs` with id and tokens.
    """
    corpus = sets.loc[sets["set"].isin(["memorized", "non_memorized"]), "id"]
    counts = np.zeros(n_vocabulary, dtype=np.int64)
    for part in parts:
        tokens = part.loc[part["id"].isin(corpus), "tokens"]
        if len(tokens):
            counts += np.bincount(np.stack(tokens).ravel(), minlength=n_vocabulary)
    return counts


def cloud(scores: pd.DataFrame) -> dict[str, list]:
    """All paragraphs as a grid of exact match and NLL, with the number in each cell, for the background."""
    width = max(float(scores["nll"].max()), 1e-6) / N_BINS
    cells = scores.groupby([scores["em"], np.minimum((scores["nll"] / width).astype(int), N_BINS - 1)]).size()
    em, bins = cells.index.get_level_values(0), cells.index.get_level_values(1)
    return {"em": em.tolist(), "nll": ((bins + 0.5) * width).tolist(), "n": cells.tolist()}
