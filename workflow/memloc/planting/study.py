"""Plant the paragraphs of a study one by one, ask every method where each is, and score the answers.

Each plant starts from the original weights, which are restored bit for bit. The unit of work is a slot: one
plant of every kind, which is tried again with another place and paragraph if it fails. Kinds share their
paragraphs, so that they are compared on the same ones. A slot also holds some of the memories that grew in
the model while it was trained. Methods are asked about these, too, and nothing is planted for them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.data.paragraphs import token_tensor
from memloc.editing.gradients import Gradients
from memloc.editing.masks import OriginalWeights, n_weights
from memloc.model.components import editable_parameters
from memloc.model.micro_batches import in_micro_batches
from memloc.perturbation.pairs import Pairs
from memloc.perturbation.replaced_tokens import Texts, perturb_prefixes, perturbed_paragraphs
from memloc.planting.grown import Memory, relative_norm
from memloc.planting.methods import answers
from memloc.planting.places import Place, draw_place
from memloc.planting.planter import plant
from memloc.planting.profiles import Profiler
from memloc.planting.question import Question, set_values, values_at
from memloc.run.seeds import generator
from memloc.scoring.held_out import Group
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.scoring.teacher_forcing import score_tokens, states_in_parts
from memloc.settings.perturbation import Perturbation
from memloc.settings.planted_truth import GRANULARITIES, PlantedTruth
from memloc.settings.scores import Scoring

TIMES = (1, 2, 5)  # recall is taken among so many times as many units as the place has
DAMAGE = ("em_memorized", "own_kept", "nll_held_out")


class Paragraph(NamedTuple):
    """One paragraph to ask about."""

    ids: Int[np.ndarray, "1"]
    tokens: Int[Tensor, "1 token"]


class Study(NamedTuple):
    """Model, texts and settings that all plants share."""

    model: PreTrainedModel
    original: OriginalWeights
    ids: Int[np.ndarray, "paragraph"]
    tokens: Int[Tensor, "paragraph token"]
    """Paragraphs that the model does not know, in the order in which they are planted."""
    keep: Int[Tensor, "kept token"]
    """Paragraphs whose predictions plants must keep; none of them judges."""
    texts: Mapping[str, Group]
    """Memorized, non-memorized (with the model's own continuation) and held-out texts that show damage."""
    mean_outputs: Float[Tensor, "layer head d_head"]
    counts: Int[np.ndarray, "vocabulary"]
    n_prefix: int
    how: PlantedTruth
    seed: int
    grown: Sequence["Asked"] = ()
    """Memories that the model, or its swap twin, recites."""
    profiler: Profiler | None = None
    """Measures plants while they are in place."""

    def paragraph(self, number: int) -> Paragraph:
        """A paragraph that the model does not know, by its number in the order of planting."""
        return Paragraph(self.ids[number, None], self.tokens[number, None])

    def first(self, slot: int) -> int:
        """Number of a slot's first paragraph; each try takes one, and control `wrong` the one after."""
        return slot * (self.how.n_paragraphs // self.how.n_plants)

    def wrong(self, slot: int) -> Paragraph:
        """The paragraph of a slot that control `wrong` asks about."""
        return self.paragraph(self.first(slot) + self.how.tries)


class Asked(NamedTuple):
    """A grown memory and, for each control, the model to ask and the paragraph to ask about."""

    memory: Memory
    controls: Mapping[str, tuple[Study, Paragraph]]


class Found(NamedTuple):
    """Rows of the tables `plants` and `planted_truth`."""

    plants: pd.DataFrame
    planted_truth: pd.DataFrame


def questions_of_grown(
    memories: Sequence[Memory],
    recited: Sequence[bool],
    tokens: pd.Series,
    own: Study,
    twins: Sequence[Study],
) -> list[Asked]:
    """The memories that are recited, each with its questions.

    Args:
        memories: those of the model and, with twins, as many of its swap twin.
        tokens: tokens of every paragraph, by id.
        twins: the swap twin, and the twin that never saw the paragraphs. Without twins, the
            control is a wrong paragraph.
    """
    asked = []
    for number, memory in enumerate(memories):
        paragraph = Paragraph(np.array([memory.id]), token_tensor(tokens.loc[[memory.id]]))
        if twins:
            swapped, never = twins
            first, other = (own, swapped) if number < len(memories) // 2 else (swapped, own)
            controls = {"plant": first, "twin": other, "never": never}
            questions = {control: (study, paragraph) for control, study in controls.items()}
        else:
            wrong = own.wrong(memory.number % own.how.n_plants)
            questions = {"plant": (own, paragraph), "wrong": (own, wrong)}
        if recited[number]:
            asked.append(Asked(memory, questions))
    return asked


def run_slot(study: Study, slot: int) -> Found:
    """One plant of every kind, each tried until it reaches the criterion or no try is left."""
    plants, truth = [], []
    before = _damage(study) if study.how.kinds else {}
    before = {f"{name}_before": value for name, value in before.items() if name != "own_kept"}
    for kind in study.how.kinds:
        for attempt in range(study.how.tries):
            labels = {"kind": kind, "plant": slot, "attempt": attempt}
            row, answered = _run_plant(study, labels)
            plants.append(row | before)
            truth += answered
            if row["reached"]:
                break
    for asked in study.grown:
        if asked.memory.number % study.how.n_plants == slot:
            truth += _asked_of_grown(asked, study.seed)
    return Found(pd.DataFrame(plants), pd.DataFrame(truth))


def _run_plant(study: Study, labels: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A row of `plants` and its rows of `planted_truth`; the model gets its original weights back."""
    model, how = study.model, study.how
    kind, slot, attempt = labels.values()
    first = study.first(slot)
    random = generator(study.seed, "planted_truth", kind, str(slot), str(attempt))
    place = draw_place(model, kind, how, random)
    unplanted, said = values_at(model, place.movable), {}
    try:
        row = labels | _plant(study, place, first + attempt)
        if row["reached"]:
            paragraph = study.paragraph(first + attempt)
            if study.profiler:
                study.profiler.add([kind], *paragraph)
            question = _question(study, place, paragraph, random)
            said["plant"] = _scored_answers(question, place)
            if "wrong" in how.controls:
                said["wrong"] = _scored_answers(_question(study, place, study.wrong(slot), random), place)
            if "twin" in how.controls:
                set_values(model, place.movable, unplanted)
                said["twin"] = _scored_answers(question._replace(change=_changes(study)), place)
    finally:
        set_values(model, place.movable, unplanted)
    study.original.n_changed(model, {})  # raises an error if a weight is not as it was before the plant
    return row, _rows(labels | {"id": row["id"]}, said)


def _asked_of_grown(asked: Asked, seed: int) -> list[dict[str, Any]]:
    """Rows of `planted_truth` of a grown memory: all answers are scored against the memory's place."""
    memory, said = asked.memory, {}
    labels = {"kind": memory.kind, "plant": memory.number, "attempt": 0, "id": memory.id}
    for control, (study, paragraph) in asked.controls.items():
        random = generator(seed, "planted_truth", memory.kind, str(memory.number))
        oracle = {name: torch.zeros_like(change) for name, change in _changes(study).items()}
        for name, places in memory.place.movable.items():
            oracle[name].view(-1)[places] = 1
        question = _question(study, memory.place, paragraph, random)._replace(change=oracle)
        said[control] = _scored_answers(question, memory.place)
    return _rows(labels, said)


def _rows(labels: dict[str, Any], said: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [labels | {"control": control} | answer for control, own in said.items() for answer in own]


def _plant(study: Study, place: Place, number: int) -> dict[str, Any]:
    """Plant a paragraph, and return the outcome and its damage; the model is changed."""
    model, how, n_prefix, tokens = study.model, study.how, study.n_prefix, study.tokens[number, None]
    before = teacher_forced(model, tokens, n_prefix, 1)
    trained = plant(model, tokens, study.keep, n_prefix, place, how)
    after = teacher_forced(model, tokens, n_prefix, 1)
    reached = trained.reached and int(after.em) == tokens.shape[1] - n_prefix
    return {
        "id": int(study.ids[number]),
        "place": place.name,
        "n_layers": len(place.layers),
        "learning_rate": how.kinds[place.kind],
        "reached": reached,
        "steps": trained.steps,
        "em_before": int(before.em),
        "nll_before": float(before.nll),
        "em": int(after.em),
        "nll": float(after.nll) if after.nll.isfinite() else None,
        "norm": relative_norm(model, place.movable) if reached else None,
        "n_allowed": n_weights(model, place.movable),
        "n_changed": study.original.n_changed(model, place.movable) if reached else None,
        **(_damage(study) if reached else dict.fromkeys(DAMAGE)),
    }


def _scored_answers(question: Question, place: Place) -> list[dict[str, Any]]:
    """The quality of every method's ranking: how early it ranks the units of the place."""
    rows = []
    for method, granularity, scores in answers(question):
        holds, ranked = place.units[granularity].flatten().numpy(), scores.numpy()
        rows.append(
            {
                "method": method,
                "granularity": granularity,
                "n_units": len(ranked),
                "n_place": int(holds.sum()),
                **place_scores(ranked, holds),
                "first": int(ranked.argmax()),
            }
        )
    return rows


def place_scores(scores: Float[np.ndarray, "unit"], holds: Bool[np.ndarray, "unit"]) -> dict[str, float]:
    """Recall among the first k, 2 k and 5 k units (k = size of the place), average precision, AUROC, rank.

    In recall and AUROC, ties count as the mean over all orders of the tied units, so equal scores for all
    units are at chance. Average precision takes tied units together. `rank` is the mean rank of the place's
    first unit and the units tied with it. AUROC is NaN if every unit holds the place.

    Raises:
        ValueError: no unit holds the place, or a score is NaN.
    """
    if not holds.any() or np.isnan(scores).any():
        raise ValueError("a ranking needs a number for every unit, and a unit of the place")
    everywhere, place = np.sort(scores), np.sort(scores[holds])
    n, k = len(scores), len(place)
    above = n - np.searchsorted(everywhere, place, side="right")
    tied = n - above - np.searchsorted(everywhere, place, side="left")
    below_in_place = np.searchsorted(place, place, side="left")
    tied_in_place = np.searchsorted(place, place, side="right") - below_in_place
    recall = {f"recall_{times}": float(np.clip((times * k - above) / tied, 0, 1).mean()) for times in TIMES}
    others_below = n - above - tied - below_in_place + (tied - tied_in_place) / 2
    return {
        **recall,
        "average_precision": float(((k - below_in_place) / (above + tied)).mean()),
        "auroc": float(others_below.mean() / (n - k)) if k < n else float("nan"),
        "rank": float((above + (tied + 1) / 2).min()),
    }


def _question(study: Study, place: Place, paragraph: Paragraph, random: np.random.Generator) -> Question:
    """Ask where this paragraph is in the current model."""
    asked = paragraph.tokens, study.n_prefix, GRANULARITIES[place.kind], study.how
    used = _pair(study, place, paragraph), study.mean_outputs, study.counts, _changes(study)
    return Question(study.model, *asked, random, *used)


def _pair(study: Study, place: Place, paragraph: Paragraph) -> Pairs | None:
    """The paragraph and its strongest perturbed version under the current model.

    The twin is asked with the plant's pair. Places of single weights have no pair, because no method
    that ranks weights needs one.
    """
    if place.own == "weight":
        return None
    ids, tokens = paragraph
    texts = Texts(ids, tokens, study.n_prefix, len(study.counts))
    scoring = Scoring(micro_batch=study.how.micro_batch)
    versions = perturb_prefixes(study.model, texts, Perturbation(nll=False), scoring, study.seed)
    found = perturbed_paragraphs(study.model, versions, texts, 1)
    if found.empty:
        return None
    return Pairs.from_tables(pd.DataFrame({"id": ids, "tokens": tokens.tolist()}), found)


def _changes(study: Study) -> Gradients:
    """The change of each W_* weight from the unplanted model."""
    return {
        name: study.model.get_parameter(name).detach() - study.original.weight(name)
        for name in editable_parameters(study.model)
    }


def _damage(study: Study) -> dict[str, float | None]:
    """EM (tokens) of memorized paragraphs, kept share of own continuations, NLL (nats) of held-out texts."""
    memorized, held_out = study.texts["memorized"].tokens, study.texts["held_out"].tokens
    both = torch.cat([memorized, held_out])
    scores = teacher_forced(study.model, both, study.n_prefix, study.how.micro_batch)
    known = scores.em[: len(memorized)].double()
    found = (
        float(known.mean()) if len(known) else None,
        _own_kept(study),
        float(scores.nll[len(memorized) :].double().mean()),
    )
    return dict(zip(DAMAGE, found, strict=True))


@torch.inference_mode()
def _own_kept(study: Study) -> float:
    """Share of tokens of the unplanted model's own continuations that are the most likely ones, each after
    those before it. Exact match would not do: after one other token, decoding goes another way."""
    model, n_prefix = study.model, study.n_prefix

    def matched(rows: Int[Tensor, "some token"]) -> Bool[Tensor, "some continuation"]:
        return score_tokens(model, states_in_parts(model, rows, n_prefix), rows[:, n_prefix:]).matched

    own = study.texts["non_memorized"].tokens.to(model.device)
    return float(torch.cat(in_micro_batches(matched, study.how.micro_batch, own)).double().mean())
