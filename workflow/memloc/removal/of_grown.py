"""Does a removal hit the place of a memory? Memories that grew have known places (LACUNA, 2607.02513).

Every way that changes weights removes every memory by itself. It does so as it is (free), and told the place,
each at the mildest setting that stops the recitation, or else at the strongest. At the setting of the latter,
it is told a random other place of the kind instead (elsewhere). A way that is told a place changes no other
weight. Unlearning trains as many weights as otherwise, or all of the place, chosen in the same manner.
BalancedSubnet and the ways that zero neurons choose there, too. Any change outside the place is undone.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
import torch

from memloc.model.components import HEAD_PARTS, MLP_PARTS
from memloc.model.subject import Subject
from memloc.model.weights import (
    Movable,
    Original,
    edited,
    n_weights,
    of_units,
    set_values,
    split_weights,
    values_at,
)
from memloc.planting.grown import Memory
from memloc.removal.registry import WAYS, InForce, in_force, in_words, tried
from memloc.removal.request import Change, Setting
from memloc.removal.scoreboard import Comparison, damage, relearned, request
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.settings.removal_ways import GROWN_ARMS, PLACE, UNTARGETED


def remove_memories(study: Comparison, places: Sequence[tuple[Memory, Movable]], name: str) -> pd.DataFrame:
    """Rows of `removal_of_grown` for a way. `places` has each memory of the target and another place."""
    way, before, prepared, rows = WAYS[name], damage(study, InForce(None)), None, []
    for (memory, other), tokens in zip(places, study.texts.target.tokens.split(1), strict=True):
        settings, n_tokens = sorted(tried(way, study.how)), tokens.shape[1] - study.subject.n_prefix
        if prepared is None or name not in UNTARGETED:  # these see no paragraph, and change all alike
            prepared = way.prepare(request(study, name, tokens))
        for arm, place in zip(GROWN_ARMS, (None, memory.place.movable, other), strict=True):
            told = prepared if place is None or name in UNTARGETED else partial(prepared, place=place)
            change = told if place is None else partial(_within, study.subject, told, place)
            for setting in settings:
                with in_force(study.subject, way, change, setting) as state:
                    left = teacher_forced(study.subject, tokens)
                    if int(left.em) == n_tokens and setting != settings[-1]:
                        continue
                    row = {"way": name, "setting": in_words(way, setting), "arm": arm, "kind": memory.kind}
                    row |= {"memory": memory.number, "id": memory.id, "n_changed_weights": state.n_changed}
                    row |= {"em": int(left.em), "nll": float(left.nll)}
                    row |= _effects(study, memory, before, state.original)
                    again = relearned(study, tokens)[0] if study.how.relearning_limit else None
                    rows.append(row | {"relearning_steps": again})
                break
            settings = [setting] if arm == PLACE else settings
    return pd.DataFrame(rows).astype({"relearning_steps": "Int64"})


def _within(subject: Subject, change: Change, place: Movable, setting: Setting) -> Movable:
    """Make a change, and undo it outside of a place."""
    with edited(subject):
        change(setting)
        values = values_at(subject, place)
    set_values(subject, place, values)
    return place


def _effects(
    study: Comparison, memory: Memory, before: pd.DataFrame, original: Original
) -> dict[str, float | None]:
    """Shares of the squared change and of the weights that lie in the place; what other text loses."""
    subject, place, after = study.subject, memory.place.movable, damage(study, InForce(None))
    changes = {name: own.detach() - original.weights[name] for name, own in subject.weights.items()}
    squares = {name: change.double().square().flatten() for name, change in changes.items()}
    whole = sum(float(each.sum()) for each in squares.values())
    inside = sum(float(squares[name][flat].sum()) for name, flat in place.items())
    lost = pd.DataFrame({"em": before["em"] - after["em"], "nll": after["nll"] - before["nll"]})
    means = lost[before["id"] != memory.id].groupby(before["group"]).mean()
    return {
        "share_inside": min(inside / whole, 1.0) if whole else None,  # sums round
        "share_place": n_weights(subject, place) / sum(map(len, squares.values())),
        "grown_lost": means["em"].get("grown"),  # None if no other memory grew
        "memorized_lost": means["em"].get("memorized"),
        "nll_gained": means.at["held_out", "nll"],
    }


def another_place(
    subject: Subject, memory: Memory, memories: Sequence[Memory], random: np.random.Generator
) -> Movable:
    """Weights of a random place of a memory's kind, of units that no memory of the kind has, if they suffice.

    Heads or neurons of a place lie in one layer, single weights anywhere. The memory's own units come last.
    """
    unit, own = memory.place.own, memory.place.units[memory.place.own].int()
    taken = own + sum(each.place.units[unit] for each in memories if each.kind == memory.kind)
    n, taken = int(own.sum()), torch.atleast_2d(taken)
    fewest = taken.sort(dim=1).values[:, :n].sum(dim=1) + torch.from_numpy(random.random(len(taken)))
    layer = int(fewest.argmin())
    order = taken[layer] + torch.from_numpy(random.random(taken.shape[1]))
    chosen = order.topk(n, largest=False).indices.sort().values
    if unit == "weight":
        return split_weights(chosen, subject.weights)
    return of_units(subject, {layer: chosen}, HEAD_PARTS if unit == "head" else MLP_PARTS)
