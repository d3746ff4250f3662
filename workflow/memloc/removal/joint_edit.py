"""Unlearn a list of memorized paragraphs at once, and say what was changed and what it cost.

The objective is that of `editing`, with the mean NLL of all listed paragraphs in its first term. Here the
model stays changed, for use.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd
from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.data.paragraphs import sampled_tokens, token_tensor
from memloc.localization.contrastive import original_log_probabilities
from memloc.localization.weights import OriginalWeights, n_weights
from memloc.removal.edit_cases import other_memorized
from memloc.removal.editing import (
    Recipe,
    Terms,
    count_changed,
    movable_weights,
    objective_gradients,
    optimise,
)
from memloc.run.errors import InputError
from memloc.run.seeds import generator
from memloc.run.templates import fill
from memloc.scoring.held_out import held_out_sample
from memloc.scoring.paragraph_scores import Scores, teacher_forced
from memloc.settings.edit_model import EditModel


class JointTexts(NamedTuple):
    """The paragraphs to unlearn, those that are to stay as they are, and those that only judge."""

    ids: list[int]
    unlearned: Int[Tensor, "unlearned token"]
    control: Int[Tensor, "control token"]
    other: Int[Tensor, "other token"]
    held_out: Int[Tensor, "held_out token"]


class JointEdit(NamedTuple):
    """One row per text (`group`, `place` in it, em and nll before and after), and the counts of weights."""

    scores: pd.DataFrame
    n_movable: int
    n_changed: int
    n_total: int


def joint_texts(
    tables: dict[str, pd.DataFrame],
    n_prefix: int,
    seed: int,
    asked: EditModel,
) -> JointTexts:
    """Texts of a joint edit of the memorized paragraphs that are listed (all sampled ones, if none is).

    Controls are random sampled non-memorized paragraphs (all of them, if no number is given).

    Raises:
        ValueError: an id is not that of a memorized paragraph, there are fewer controls than asked for, or no
            other paragraph is left to judge by.
    """
    paragraphs, sets = tables["paragraphs"], tables["sets"]
    memorized = sets[sets["set"] == "memorized"]
    ids = list(asked.ids) or memorized.loc[memorized["sampled"], "id"].tolist()
    unknown = sorted(set(ids) - set(memorized["id"]))
    if unknown:
        raise InputError(f"edit_model.ids: not memorized paragraphs of this study: {unknown}")
    _, pool = sampled_tokens(paragraphs, sets, "non_memorized", n_prefix)
    if asked.n_controls is not None and asked.n_controls > len(pool):
        raise InputError(
            f"edit_model.n_controls: {asked.n_controls} asked for, {len(pool)} paragraphs are sampled"
        )
    chosen = generator(seed, "joint_edit", "controls").permutation(len(pool))[: asked.n_controls]
    return JointTexts(
        ids,
        token_tensor(paragraphs.set_index("id")["tokens"].loc[ids]),
        pool[chosen],
        other_memorized(paragraphs, sets, ids, asked.n_others, seed)[1],
        held_out_sample(paragraphs, sets, asked.n_held_out, seed)[1],
    )


def unlearn_jointly(
    model: PreTrainedModel,
    texts: JointTexts,
    n_prefix: int,
    how: EditModel,
    head: tuple[int, int],
    seed: int,
) -> JointEdit:
    """Change the model so that it no longer recites the listed paragraphs.

    Raises:
        EditError: as in `editing.count_changed`.
    """
    recipe, batch = Recipe("unlearn", n_prefix, how), (n_prefix, how.micro_batch)
    judged = {name: tokens for name, tokens in texts._asdict().items() if name != "ids"}
    before = {name: teacher_forced(model, tokens, *batch) for name, tokens in judged.items()}
    original = OriginalWeights(model)
    p0 = original_log_probabilities(model, texts.control, *batch)
    terms = Terms(texts.unlearned, texts.control, p0)
    gradients = objective_gradients(model, terms, recipe)
    random = generator(seed, "joint_edit", "random")
    movable = movable_weights(model, how.arm, gradients, how.fraction, head, random)
    for _ in optimise(model, terms, gradients, movable, how.learning_rate, recipe):
        pass
    after = {name: teacher_forced(model, tokens, *batch) for name, tokens in judged.items()}
    n_changed = count_changed(model, original, movable, recipe)
    scores = _compared(before, after)
    scores.loc[scores["group"] == "unlearned", "id"] = texts.ids
    n_total = sum(weight.numel() for weight in model.parameters())
    return JointEdit(scores.astype({"id": "Int64"}), n_weights(model, movable), n_changed, n_total)


def _compared(before: Mapping[str, Scores], after: Mapping[str, Scores]) -> pd.DataFrame:
    frames = [
        pd.DataFrame(
            {
                "group": name,
                "id": pd.NA,
                "em_before": before[name].em,
                "em": after[name].em,
                "nll_before": before[name].nll,
                "nll": after[name].nll,
            }
        )
        for name in before
    ]
    return pd.concat(frames, ignore_index=True)


GROUP_TEXTS = {
    "unlearned": "unlearned paragraphs",
    "control": "controls (continuation of table `sets`, in the objective)",
    "other": "other memorized paragraphs (in no objective)",
    "held_out": "held-out paragraphs (corpus continuation, in no objective)",
}


def card(
    template: str,
    edit: JointEdit,
    base: dict[str, Any],
    study: str,
    how: EditModel,
    dtype: str,
    n_continuation: int,
) -> str:
    """The README.md of an exported model: what was changed and what it cost.

    `template` is filled in; `base` is the manifest of the base model, `dtype` that of its weights as
    they were loaded, `n_continuation` the tokens of a continuation.
    """
    groups = edit.scores.groupby("group", sort=False)
    means = groups[["em_before", "em", "nll_before", "nll"]].mean().to_dict(orient="index")
    sizes = groups.size()
    unlearned = edit.scores[edit.scores["group"] == "unlearned"]
    numbers = {
        **{name: getattr(how, name) for name in ("arm", "steps", "learning_rate", "reference")},
        "dtype": dtype,
        "n_continuation": n_continuation,
        "base": base,
        "study": study,
        "rows": [{"text": GROUP_TEXTS[name], "n": sizes[name], **values} for name, values in means.items()],
        "ids": unlearned["id"].tolist(),
        "n_recited": int((unlearned["em"] == n_continuation).sum()),
        "n_controls": int(sizes["control"]),
        "n_movable": edit.n_movable,
        "n_changed": edit.n_changed,
        "n_total": edit.n_total,
    }
    return fill(template, numbers)
