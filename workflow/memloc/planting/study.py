"""Plant the paragraphs of a study one by one, ask every method where each is, and score the answers.

Each plant starts from the original weights, which are restored bit for bit. A slot is the unit of work: one
plant of every kind, tried with a further place and paragraph if it fails. Kinds share their paragraphs,
so that they are compared on the same ones.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.editing.gradients import Gradients
from memloc.editing.masks import OriginalWeights, n_weights
from memloc.model.components import editable_parameters
from memloc.perturbation.pairs import Pairs
from memloc.perturbation.replaced_tokens import perturb_prefixes, perturbed_paragraphs
from memloc.planting.activation_methods import first_order_agreement
from memloc.planting.curves import Plant, curves, n_needed
from memloc.planting.methods import answers
from memloc.planting.place_scores import place_scores, recall_by_layer
from memloc.planting.places import Place, draw_place
from memloc.planting.planter import plant
from memloc.planting.question import Question
from memloc.planting.units import set_values, values_at
from memloc.run.seeds import generator
from memloc.scoring.held_out import Group
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.settings.perturbation import Perturbation
from memloc.settings.plant_kinds import PLANT_GRANULARITIES
from memloc.settings.planted_truth import PlantedTruth
from memloc.settings.scores import Scoring

DAMAGE = ("em_memorized", "em_own", "nll_held_out")


class Study(NamedTuple):
    """What all plants share."""

    model: PreTrainedModel
    original: OriginalWeights
    ids: Int[np.ndarray, "paragraph"]
    tokens: Int[Tensor, "paragraph token"]
    """Paragraphs that the model does not know, in the order in which they are planted."""
    keep: Int[Tensor, "kept token"]
    """Paragraphs whose predictions plants may not change; none of them judges."""
    texts: Mapping[str, Group]
    """Memorized, non-memorized (with the model's own continuation) and held-out texts that show damage."""
    mean_outputs: Float[Tensor, "layer head d_head"]
    counts: Int[np.ndarray, "vocabulary"]
    n_prefix: int
    how: PlantedTruth
    seed: int


class Found(NamedTuple):
    """Rows of the tables `plants`, `planted_truth`, `planted_curves` and `planted_costs`."""

    plants: pd.DataFrame
    planted_truth: pd.DataFrame
    planted_curves: pd.DataFrame
    planted_costs: pd.DataFrame


def run_slot(study: Study, slot: int) -> Found:
    """One plant of every kind, each tried until it reaches the criterion or no try is left."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in Found._fields}
    before = _damage(study)
    for kind in study.how.kinds:
        for attempt in range(study.how.tries):
            labels = {"kind": kind, "plant": slot, "attempt": attempt}
            rows = _run_plant(study, labels, before)
            for name, own in rows.items():
                found[name] += own
            if rows["plants"][0]["reached"]:
                break
    return Found(*(pd.DataFrame(rows) for rows in found.values()))


def _run_plant(study: Study, labels: dict[str, Any], before: dict[str, float]) -> dict[str, list[dict]]:
    """Rows of all tables of one try; the model has its original weights before and after."""
    model, how = study.model, study.how
    kind, slot, attempt = labels.values()
    row = slot * (how.n_paragraphs // how.n_plants) + attempt
    random = generator(study.seed, "planted_truth", kind, str(slot), str(attempt))
    place = draw_place(model, kind, how.n_neurons, random)
    unplanted = values_at(model, place.movable)
    rows: dict[str, list[dict]] = {name: [] for name in Found._fields}
    try:
        about, planted = _plant(study, labels, row, place, unplanted)
        about |= {f"{name}_before": value for name, value in before.items()}
        if planted is not None:
            questions = Questions(study, labels, place, row, unplanted, planted, random)
            about |= _ask_all(questions, rows)
        rows["plants"].append(about)
    finally:
        set_values(model, place.movable, unplanted)
    study.original.n_changed(model, {})  # an error where weights are not as they were before the plant
    return rows


def _plant(
    study: Study, labels: dict[str, Any], row: int, place: Place, unplanted: Mapping[str, Tensor]
) -> tuple[dict[str, Any], dict[float, Mapping[str, Tensor]] | None]:
    """A row of `plants`, and the place's weights by level of the NLL; none where the criterion is not met."""
    model, how, n_prefix, tokens = study.model, study.how, study.n_prefix, study.tokens[row, None]
    levels = {how.nll, *(how.levels if place.own == "head" else [])}
    alone = teacher_forced(model, tokens, n_prefix, 1)
    trained = plant(model, tokens, study.keep, n_prefix, place, [*levels], how)
    values = trained.levels.get(how.nll) or values_at(model, place.movable)
    set_values(model, place.movable, values)
    after = teacher_forced(model, tokens, n_prefix, 1)
    reached = how.nll in trained.levels and int(after.em) == tokens.shape[1] - n_prefix
    about = {
        **labels,
        "id": int(study.ids[row]),
        "place": place.name,
        "n_layers": len(place.layers),
        "learning_rate": how.kinds[place.kind],
        "reached": reached,
        "steps": trained.steps,
        "em_before": int(alone.em),
        "nll_before": float(alone.nll),
        "em": int(after.em),
        "nll": float(after.nll) if after.nll.isfinite() else None,
        "n_allowed": n_weights(model, place.movable),
        "n_changed": study.original.n_changed(model, place.movable) if reached else None,
        "n_needed": None,
        "neuron_agreement": None,
        **(_damage(study) if reached else dict.fromkeys(DAMAGE)),
        **_relative_norms(study.original, unplanted, values),
    }
    return about, trained.levels if reached else None


class Questions(NamedTuple):
    """A plant that methods are asked about, and its controls."""

    study: Study
    labels: dict[str, Any]
    place: Place
    row: int
    unplanted: Mapping[str, Tensor]
    planted: Mapping[float, Mapping[str, Tensor]]
    """The place's weights by level of the NLL."""
    random: np.random.Generator


def _ask_all(asked: Questions, rows: dict[str, list[dict]]) -> dict[str, Any]:
    """Ask about every level of the plant and its controls; returns what else they say of the plant itself."""
    study, labels, place, row, unplanted, planted, random = asked
    model, how = study.model, study.how
    values = planted[how.nll]
    mixture = Plant.of(model, study.tokens[row, None], study.n_prefix, place, unplanted, values)
    pair, needed = _pair(study, place, row), n_needed(mixture)
    at_criterion = labels | {"level": how.nll, "criterion": True}
    quick = study._replace(how=how.model_copy(update={"masks": False}))  # training masks takes seconds
    for level, weights in sorted(planted.items()):
        set_values(model, place.movable, weights)
        about = labels | {"control": "plant", "level": level, "criterion": level == how.nll}
        drawn = mixture if level == how.nll and how.curves else None
        _ask(study if level == how.nll else quick, about, place, row, pair, random, rows, drawn)
    set_values(model, place.movable, values)
    more: dict[str, Any] = {"n_needed": needed}
    if place.own == "neuron" and how.n_checked_neurons:
        question = _question(study, place, row, pair, random)
        more["neuron_agreement"] = first_order_agreement(question, how.n_checked_neurons)
    if "wrong" in how.controls:
        other = row - labels["attempt"] + how.tries
        _ask(
            study, at_criterion | {"control": "wrong"}, place, other, _pair(study, place, other), random, rows
        )
    set_values(model, place.movable, unplanted)
    if "twin" in how.controls:
        _ask(study, at_criterion | {"control": "twin"}, place, row, pair, random, rows)
    return more


def _ask(
    study: Study,
    labels: dict[str, Any],
    place: Place,
    row: int,
    pair: Pairs | None,
    random: np.random.Generator,
    rows: dict[str, list[dict]],
    mixture: Plant | None = None,
) -> None:
    """Score what every method says of the model as it is, and of curves where there is a mixture."""
    for answer in answers(_question(study, place, row, pair, random)):
        units = place.units[answer.granularity]
        scores, holds = answer.scores.numpy(), units.flatten().numpy()
        about = labels | {"method": answer.method, "granularity": answer.granularity}
        layers = units.dim() == 2 and answer.granularity == "neuron"
        rows["planted_truth"].append(
            {
                **about,
                "n_units": len(scores),
                "n_place": int(holds.sum()),
                **place_scores(scores, holds),
                "recall_by_layer": recall_by_layer(scores.reshape(units.shape), units.numpy())
                if layers
                else None,
                "first": int(scores.argmax()),
            }
        )
        rows["planted_costs"].append({**about, "seconds": answer.seconds})
        if mixture is not None and answer.granularity == place.own:
            for point in curves(mixture, answer.scores.view(units.shape)).to_dict("records"):
                rows["planted_curves"].append({**about, **point})


def _question(
    study: Study, place: Place, row: int, pair: Pairs | None, random: np.random.Generator
) -> Question:
    return Question(
        study.model,
        study.tokens[row, None],
        study.n_prefix,
        PLANT_GRANULARITIES[place.kind],
        study.how,
        random,
        pair,
        study.mean_outputs,
        study.counts,
        _changes(study),
    )


def _pair(study: Study, place: Place, row: int) -> Pairs | None:
    """The paragraph and its strongest perturbed version under the model as it is, which a plant's twin gets
    too; none for places of weights, which no method that needs a pair can see."""
    if place.own == "weight":
        return None
    ids, tokens, n_prefix = study.ids[row, None], study.tokens[row, None], study.n_prefix
    perturbation = Perturbation(nll=False, micro_batch=study.how.micro_batch)
    versions = perturb_prefixes(
        study.model, ids, tokens, n_prefix, len(study.counts), perturbation, Scoring(), None, study.seed
    )
    found = perturbed_paragraphs(study.model, versions, ids, tokens, n_prefix, 1)
    if found.empty:
        return None
    return Pairs.from_tables(pd.DataFrame({"id": ids, "tokens": tokens.tolist()}), found)


def _changes(study: Study) -> Gradients:
    """How far each W_* weight is from the unplanted model's."""
    return {
        name: study.model.get_parameter(name).detach() - study.original.weight(name)
        for name in editable_parameters(study.model)
    }


def _damage(study: Study) -> dict[str, float]:
    """EM (tokens) of memorized paragraphs and of own continuations, NLL (nats per token) of held-out ones."""
    tokens = torch.cat([group.tokens for group in study.texts.values()])
    scores = teacher_forced(study.model, tokens, study.n_prefix, study.how.micro_batch)
    sizes = [len(group.ids) for group in study.texts.values()]
    em = dict(zip(study.texts, scores.em.double().split(sizes), strict=True))
    nll = dict(zip(study.texts, scores.nll.double().split(sizes), strict=True))
    memorized = float(em["memorized"].mean()) if len(em["memorized"]) else None
    found = memorized, float(em["non_memorized"].mean()), float(nll["held_out"].mean())
    return dict(zip(DAMAGE, found, strict=True))


def _relative_norms(
    original: OriginalWeights, unplanted: Mapping[str, Tensor], planted: Mapping[str, Tensor]
) -> dict[str, float | None]:
    """Root mean square of the place's weights, unplanted and planted, over that of all weights that its
    matrices had before; None where a weight is no number."""
    peers = torch.cat([original.weight(name).flatten() for name in unplanted])
    size = float(peers.double().square().mean().sqrt())
    found = {}
    for name, values in {"norm_before": unplanted, "norm": planted}.items():
        norm = float(torch.cat([*values.values()]).double().square().mean().sqrt()) / size
        found[name] = norm if math.isfinite(norm) else None
    return found


def slots(study: Study, rows: range) -> Iterator[tuple[int, Found]]:
    """The work of some slots, one after the other; it depends on no other slot."""
    for slot in rows:
        yield slot, run_slot(study, slot)
