"""Split scored paragraphs into sets and draw the samples that the analyses use (paper 3.2, METHODS M2)."""

import numpy as np
import pandas as pd

from memloc.seeds import generator

NON_MEMORIZED_MAX = 10
PARTLY = {"partly_11_29": (11, 29), "partly_30_49": (30, 49)}


class EmptySetError(ValueError):
    """A set that the analyses need has no paragraph."""


def assign_sets(em: pd.Series, n_continuation: int) -> pd.Series:
    """Set of each paragraph by its exact match: memorized where all `n_continuation` tokens match."""
    sets = pd.Series("unassigned", index=em.index, dtype="str")
    sets[em <= NON_MEMORIZED_MAX] = "non_memorized"
    for name, (low, high) in PARTLY.items():
        sets[em.between(low, high)] = name
    sets[em == n_continuation] = "memorized"
    return sets


def sample_ids(ids: pd.Series, n: int, rng: np.random.Generator) -> pd.Index:
    """At most `n` of the ids, drawn without replacement."""
    return pd.Index(rng.choice(ids.to_numpy(), size=min(n, len(ids)), replace=False))


def split(
    scores: pd.DataFrame,
    n_continuation: int,
    n_memorized: int,
    n_non_memorized: int,
    n_partly: int,
    n_rare_tokens: int,
    seed: int,
) -> pd.DataFrame:
    """Sets and samples of the scored paragraphs.

    Returns:
        One row per paragraph: id, set, sampled (drawn for the analyses of its set) and sampled_rare_tokens
        (drawn from both sets together for the rare-token analysis). A set that is smaller than its sample
        is taken whole.

    Raises:
        EmptySetError: no paragraph is memorized, or none is not.
    """
    frame = pd.DataFrame({"id": scores["id"], "set": assign_sets(scores["em"], n_continuation)})
    for name in ("memorized", "non_memorized"):
        if not (frame["set"] == name).any():
            raise EmptySetError(
                f"no paragraph is {name}: the analyses compare both sets. Largest exact match "
                f"{scores['em'].max()} of {n_continuation}, smallest {scores['em'].min()}. "
                "Use text that the model was trained on repeatedly, more paragraphs, or a larger model"
            )
    sizes = {"memorized": n_memorized, "non_memorized": n_non_memorized, **dict.fromkeys(PARTLY, n_partly)}
    drawn = [
        sample_ids(frame.id[frame.set == name], n, generator(seed, "sets", name)) for name, n in sizes.items()
    ]
    frame["sampled"] = frame.id.isin(np.concatenate(drawn))
    pool = frame.id[frame.set.isin(["memorized", "non_memorized"])]
    frame["sampled_rare_tokens"] = frame.id.isin(
        sample_ids(pool, n_rare_tokens, generator(seed, "sets", "rare_tokens"))
    )
    return frame
