"""Models trained on halves of the paragraphs, whose answers are known."""

import numpy as np
import pandas as pd

from memloc.data.halves import halves
from memloc.scoring.counterfactual import comes_out, counterfactual
from memloc.scoring.kinds import kind_of

N = 8  # tokens of a continuation
COPIED, OWN, MOVED, NOISE, UNSEEN, TEMPLATE = range(6)
KINDS = {
    COPIED: "every half holds a copy of it: all models recite it",
    OWN: "models recite it if they were trained on it",
    MOVED: "no model recites it, and training on it lowers its NLL",
    NOISE: "training changes nothing",
    UNSEEN: "no model is trained on it",
    TEMPLATE: "no model is trained on it, and all recite it",
}


def half_scores(n_models=16, n_of_a_kind=20, seed=0):
    """Table `half_scores` of so many paragraphs of each kind; ids go from kind to kind."""
    kinds = np.repeat(list(KINDS), n_of_a_kind)
    trained = halves(n_models, len(kinds), seed) & ~np.isin(kinds, [UNSEEN, TEMPLATE])
    noise = np.random.default_rng(seed).normal(0, 0.05, trained.shape)
    known = np.isin(kinds, [COPIED, TEMPLATE])
    recited = known | ((kinds == OWN) & trained)
    learned = trained & np.isin(kinds, [OWN, MOVED])
    nll = np.where(known, 0.1, 3.0) - np.where(learned, np.where(kinds == OWN, 2.5, 0.5), 0) + noise
    frames = [
        pd.DataFrame(
            {
                "model": number,
                "id": np.arange(len(kinds)),
                "trained": trained[number],
                "em": np.where(recited[number], N, number % 3),
                "nll": np.maximum(nll[number], 0),
                "n_weights": 1_000,
            }
        )
        for number in range(n_models)
    ]
    return pd.concat(frames, ignore_index=True), kinds


def of_kinds(scores, recited, by_rule=()):
    """Table `counterfactual`, in which the study's model recites some paragraphs, and a rule gets some."""
    found = counterfactual(scores, N)
    is_recited, gets = (found["id"].isin(ids) for ids in (recited, by_rule))
    copies = pd.Series(np.where(found["id"] % 2, 9, 1))
    kind = kind_of(comes_out(found["recited_without"]), copies)
    return found.assign(
        em=np.where(is_recited, N, 0),
        kind=kind.where(is_recited & comes_out(found["recited_with"])),
        kind_by_rule=kind_of(gets, copies).where(is_recited),
    )
