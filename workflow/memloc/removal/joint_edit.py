"""Remove a list of memorized paragraphs at once, and report the changes and their cost.

A weight edit of `removal.registry` removes them, by default the paper's unlearning. The model stays changed.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd
from jaxtyping import Int
from torch import Tensor

from memloc.data.paragraphs import sampled_tokens, token_tensor
from memloc.localization.ablation import Head
from memloc.model.subject import Subject
from memloc.model.weights import Original, n_weights
from memloc.removal.edit_cases import other_memorized
from memloc.removal.registry import WAYS, in_words
from memloc.removal.request import Request
from memloc.run.errors import InputError
from memloc.run.seeds import generator
from memloc.run.templates import fill
from memloc.scoring.held_out import held_out_texts
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.settings.removal_ways import UNTARGETED
from memloc.settings.remove import EditModel, Remove

JUDGING = {
    "unlearned": "removed paragraphs",
    "control": "controls (continuation of table `sets`, seen by the edit)",
    "other": "other memorized paragraphs (not seen)",
    "held_out": "held-out paragraphs (corpus continuation, not seen)",
}


class JointTexts(NamedTuple):
    """Paragraphs to remove, controls that the edit keeps, texts that only judge, and ordinary text."""

    ids: list[int]
    unlearned: Int[Tensor, "unlearned token"]
    control: Int[Tensor, "control token"]
    other: Int[Tensor, "other token"]
    held_out: Int[Tensor, "held_out token"]
    general: Int[Tensor, "general token"]


class JointEdit(NamedTuple):
    """An edit: its settings, a row per text (group, id, em and nll before and after), counts of weights."""

    how: EditModel
    scores: pd.DataFrame
    n_movable: int
    n_changed: int
    n_total: int


def joint_texts(
    tables: dict[str, pd.DataFrame], n_prefix: int, seed: int, asked: EditModel, listed: Sequence[int]
) -> JointTexts:
    """Texts of a joint edit of the listed memorized paragraphs, or of all sampled ones if none is listed.

    Controls are random sampled non-memorized paragraphs (all of them, if no number is given).

    Raises:
        InputError: there are fewer controls than asked for, or no other paragraph is left to judge by.
    """
    paragraphs, sets = tables["paragraphs"], tables["sets"]
    ids = list(listed) or sets.loc[(sets["set"] == "memorized") & sets["sampled"], "id"].tolist()
    _, pool = sampled_tokens(paragraphs, sets, "non_memorized", n_prefix)
    if asked.n_controls is not None and asked.n_controls > len(pool):
        raise InputError(
            f"edit_model.n_controls: {asked.n_controls} asked for, {len(pool)} paragraphs are sampled"
        )
    chosen = generator(seed, "joint_edit", "controls").permutation(len(pool))[: asked.n_controls]
    n_judging = asked.n_judging
    ordinary = held_out_texts(paragraphs, sets, 2 * n_judging, seed).tokens
    return JointTexts(
        ids,
        token_tensor(paragraphs.set_index("id")["tokens"].loc[ids]),
        pool[chosen],
        other_memorized(paragraphs, sets, ids, n_judging, seed),
        ordinary[:n_judging],
        ordinary[n_judging:],
    )


def remove_jointly(
    subject: Subject, texts: JointTexts, how: EditModel, ways: Remove, heads: list[Head], seed: int
) -> JointEdit:
    """Change the model by way `how.way` at `how.setting`; `ways` (section `remove`) has its other settings.

    Raises:
        EditError: a weight has changed that the way does not name.
        InputError: no ordinary text is left for the way.
    """
    if not len(texts.general):
        raise InputError("edit_model: no paragraph is left as ordinary text; lower n_judging")
    learned, random = (texts.unlearned, texts.control, texts.general), generator(seed, "joint_edit", "way")
    request = Request(subject, *learned, heads=heads, how=ways, random=random)
    judged, original = {name: getattr(texts, name) for name in JUDGING}, Original(subject)
    before = {name: teacher_forced(subject, tokens) for name, tokens in judged.items()}
    movable = WAYS[how.way].prepare(request)((how.setting,))
    after = {name: teacher_forced(subject, tokens) for name, tokens in judged.items()}
    rows = []
    for name, own in before.items():
        em, nll = {"em_before": own.em, "em": after[name].em}, {"nll_before": own.nll, "nll": after[name].nll}
        rows.append(pd.DataFrame({"group": name, "id": pd.NA, **em, **nll}))
    scores = pd.concat(rows, ignore_index=True)
    scores.loc[scores["group"] == "unlearned", "id"] = texts.ids
    n_changed = original.n_changed(movable)
    n_total = sum(weight.numel() for weight in subject.model.parameters())
    return JointEdit(how, scores.astype({"id": "Int64"}), n_weights(subject, movable), n_changed, n_total)


def card(
    template: str, edit: JointEdit, base: dict[str, Any], study: str, dtype: str, n_continuation: int
) -> str:
    """The README.md of an exported model, with the changes and their cost.

    `template` is filled in. `base` describes the base model, `dtype` is the type in which its weights were
    loaded, `n_continuation` the number of tokens of a continuation.
    """
    how, groups = edit.how, edit.scores.groupby("group", sort=False)
    means = groups[["em_before", "em", "nll_before", "nll"]].mean().to_dict(orient="index")
    sizes = groups.size()
    unlearned = edit.scores[edit.scores["group"] == "unlearned"]
    numbers = {
        "way": how.way,
        "untargeted": how.way in UNTARGETED,
        "setting": in_words(WAYS[how.way], (how.setting,)),
        "dtype": dtype,
        "n_continuation": n_continuation,
        "base": base,
        "study": study,
        "rows": [{"text": JUDGING[name], "n": sizes[name], **values} for name, values in means.items()],
        "ids": unlearned["id"].tolist(),
        "n_recited": int((unlearned["em"] == n_continuation).sum()),
        "n_movable": edit.n_movable,
        "n_changed": edit.n_changed,
        "n_total": edit.n_total,
    }
    return fill(template, numbers)
