"""Ways to remove recitation side by side: on the same paragraphs, with the same judges.

A way's setting is chosen on validation paragraphs, removed together (`best_setting`): among the settings
that remove, the one that harms least. With it the way removes paragraphs together (joint) and one by one.
Ways that name no paragraph have no one-by-one rows. The unit of work is a way, which depends on no other.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from memloc.editing.steps import steps_until_recited
from memloc.localization.ablation import Head
from memloc.model.subject import Subject, Tokens
from memloc.removal.judging import Judged, decoded, judged, rounded
from memloc.removal.registry import WAYS, InForce, Way, in_force, in_words, tried
from memloc.removal.removal_texts import Target, Texts
from memloc.removal.request import Request, Setting
from memloc.run.seeds import generator
from memloc.scoring.held_out import labels
from memloc.scoring.near_verbatim import n_edits
from memloc.settings.removal_ways import BITS, JOINT_ONLY, NOTHING
from memloc.settings.remove import Remove

ENOUGH = 0.9  # least share of forgotten tokens with which a setting counts as removing


class Comparison(NamedTuple):
    """Model, texts and settings that all ways share."""

    subject: Subject
    texts: Texts
    heads: list[Head]
    how: Remove
    seed: int
    retrained: dict[str, Tensor] | None = None


class Found(NamedTuple):
    """Rows of tables, by the names of the tables."""

    removal: pd.DataFrame
    removal_damage: pd.DataFrame


def as_it_is(study: Comparison) -> Found:
    """The rows of the model as it is: way `nothing`, of the paragraphs that ways remove together."""
    named, state = {"way": NOTHING, "setting": "", "mode": "joint"}, InForce(None)
    untried = [None] * len(study.texts.target.ids)
    rows = _removed(study, study.texts.target, state).assign(relearning_steps=untried)
    harm = damage(study, state).assign(**named, removed=None)
    return Found(rows.assign(**named), harm)


def run_way(study: Comparison, name: str) -> Found:
    """What one way removes together and one by one."""
    way = WAYS[name]
    settings, target = tried(way, study.how), study.texts.target
    setting = settings[best_setting(*lost(study, name))] if len(settings) > 1 else settings[0]
    removals, damages = [], []
    n_single = 0 if name in JOINT_ONLY else study.how.n_single
    runs = [("joint", target)]
    runs += [("single", target.of(slice(row, row + 1))) for row in range(min(n_single, len(target.ids)))]
    for mode, own in runs:
        named = {"way": name, "setting": in_words(way, setting), "mode": mode}
        removed, harm = _run(study, name, way, setting, own)
        removals.append(removed.assign(**named))
        damages.append(harm.assign(**named, removed=int(own.ids[0]) if mode == "single" else None))
    return Found(pd.concat(removals), pd.concat(damages))


def _run(
    study: Comparison, name: str, way: Way, setting: Setting, target: Target
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What is left of removed paragraphs, and the damage."""
    prepared = way.prepare(request(study, name, target.tokens))
    with in_force(study.subject, way, prepared, setting) as state:
        removed, harm = _removed(study, target, state), damage(study, state)
        relearns = study.how.relearning_limit and not way.diverts
        again = relearned(study, target.tokens) if relearns else [None] * len(target.ids)
    return removed.assign(relearning_steps=again), harm


def request(study: Comparison, name: str, remove: Int[Tensor, "removed token"]) -> Request:
    """The request to a way. Its random numbers depend on the seed and on the way only."""
    texts, random = study.texts, generator(study.seed, "removal", "way", name)
    shared = (texts.keep, texts.general, study.heads, study.how, random, study.retrained)
    return Request(study.subject, remove, *shared)


def lost(study: Comparison, name: str) -> Float[np.ndarray, "text setting"]:
    """Share of their tokens that the validation paragraphs, and those that say what harm is done, lose."""
    way, texts, kept = WAYS[name], study.texts, []
    prepared = way.prepare(request(study, name, texts.validation))
    for setting in tried(way, study.how):
        with in_force(study.subject, way, prepared, setting) as state:
            own = [_judged(study, some, state).em for some in (texts.validation, texts.validation_own)]
        kept.append([float(em.double().mean()) for em in own])
    # All tokens were recited before.
    return 1 - np.array(kept).T / (texts.validation.shape[1] - study.subject.n_prefix)


def best_setting(forgotten: Float[np.ndarray, "setting"], harm: Float[np.ndarray, "setting"]) -> int:
    """Place of the least harmful setting that removes; if none removes, of the setting that forgets most.

    Of equal settings, the first. The least harm alone would choose a setting that does nothing.
    """
    removing = forgotten >= ENOUGH
    return int(np.where(removing, harm, np.inf).argmin() if removing.any() else forgotten.argmax())


def _judged(study: Comparison, tokens: Tokens, state: InForce) -> Judged:
    return judged(study.subject, tokens, state.processor)


def _removed(study: Comparison, target: Target, state: InForce) -> pd.DataFrame:
    """Scores of the paragraphs to remove while a way is in force."""
    tokens, subject = target.tokens, study.subject
    own = _judged(study, tokens, state)
    with rounded(subject, BITS):
        em_rounded = _judged(study, tokens, state).em
    generated = decoded(subject, tokens, own.em, state.processor).numpy()
    true = tokens[:, subject.n_prefix :].numpy()
    recited = _judged(study, target.perturbed.flatten(0, 1), state).em == true.shape[1]
    return pd.DataFrame(
        {
            "id": target.ids,
            "em": own.em.numpy(),
            "nll": own.nll.double().numpy(),
            "edit_distance": n_edits(generated, true) / true.shape[1],
            "recited_perturbed": recited.double().view(target.perturbed.shape[:2]).mean(dim=1).numpy(),
            "em_4bit": em_rounded.numpy(),
            "n_changed_weights": state.n_changed,
        }
    )


def damage(study: Comparison, state: InForce) -> pd.DataFrame:
    """Scores of the judging texts while a way is in force, a row for each."""
    judges = study.texts.judges
    found = _judged(study, torch.cat([group.tokens for group in judges.values()]), state)
    return labels(judges).assign(em=found.em.numpy(), nll=found.nll.double().numpy())


def relearned(study: Comparison, tokens: Int[Tensor, "removed token"]) -> list[int | None]:
    """Steps until each paragraph is recited again, as `steps_until_recited`; the model is changed."""
    how = study.how
    return steps_until_recited(study.subject, tokens, how.relearning_rate, how.relearning_limit)
