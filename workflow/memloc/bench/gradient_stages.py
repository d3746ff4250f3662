"""Stages that take gradients of weights, next to straightforward implementations of the same work."""

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.bench.measure import Results
from memloc.bench.subject import Bench, Comparison, Stage
from memloc.editing import steps
from memloc.editing.gradients import Gradients, nll_gradients
from memloc.editing.masks import top_weights
from memloc.localization.parameter_gradients import component_scores
from memloc.model import loading
from memloc.model.components import editable_parameters
from memloc.planting.places import Place, place_in_layer
from memloc.planting.planter import plant
from memloc.settings.editing import SPARSE_FRACTION
from memloc.straightforward import gradients as plain_gradients
from memloc.straightforward import masked_adam

LEARNING_RATE = 1e-5
PLANT_RATE = 1e-2
NEVER = 0.0  # an NLL that no plant reaches, so that each takes all of its steps


def parameter_gradients(bench: Bench, own: Int[Tensor, "paragraph token"]) -> Comparison:
    """Gradient of the NLL with respect to every W_* weight (paper 5.1)."""
    tokens, n_prefix = own[: bench.sizes.n_gradients], bench.n_prefix

    def scores_of(model: PreTrainedModel, gradients: Gradients) -> Results:
        return {"max_abs": component_scores(model, gradients)["max_abs"].to_numpy()}

    def prepare() -> Callable[[], Results]:
        model, micro_batch = bench.model(), bench.settings.weight_noise.micro_batch
        return lambda: scores_of(model, nll_gradients(model, tokens, n_prefix, micro_batch))

    def prepare_plain() -> Callable[[], Results]:
        model = bench.plain_model()
        named = {name: model.get_parameter(name) for name in editable_parameters(model)}
        bridge = loading.boot_bridge(model)
        gradients = partial(plain_gradients.nll_gradients_with_all_hooks, bridge, named, tokens, n_prefix)
        return lambda: scores_of(model, gradients())

    stage = Stage(prepare, len(tokens))
    return Comparison("paragraph", prepare_plain, len(tokens), slice(None), {"parameter_gradients": stage})


@torch.no_grad()
def moved(model: PreTrainedModel, names: Iterable[str], train: Callable[[], None]) -> list[float]:
    """Train, put the named weights back, and return the norm of the change of each."""
    before = {name: model.get_parameter(name).clone() for name in names}
    with torch.enable_grad():
        train()
    found = [float((model.get_parameter(name) - weight).norm()) for name, weight in before.items()]
    for name, weight in before.items():
        model.get_parameter(name).copy_(weight)
    return found


def sparse_editing(bench: Bench, own: Int[Tensor, "paragraph token"]) -> Comparison:
    """Sparse unlearning of one paragraph (paper 5.3): the preparation and the steps."""
    n_steps, n_controls = bench.sizes.n_steps, bench.sizes.n_controls
    texts = own[:1], own[1 : n_controls + 1]

    def prepared(model: PreTrainedModel, edit: Callable[[PreTrainedModel], None]) -> Callable[[], Results]:
        names = editable_parameters(model)
        return lambda: {"moved": np.array(moved(model, names, partial(edit, model)))}

    def fast(model: PreTrainedModel) -> None:
        update = {"steps": n_steps, "fraction": SPARSE_FRACTION}
        how = bench.settings.editing.model_copy(update=update)
        recipe = steps.Recipe("unlearn", bench.n_prefix, how)
        origin = steps.origin_of(model, *texts, recipe)
        movable = top_weights(origin.gradients, SPARSE_FRACTION)
        steps.optimise(model, origin, movable, LEARNING_RATE, recipe)

    def plain(model: PreTrainedModel) -> None:
        chosen = masked_adam.largest(SPARSE_FRACTION)
        loss = masked_adam.objective(*texts, bench.n_prefix)
        masked_adam.train(model, loss, chosen, LEARNING_RATE, n_steps)

    stage = Stage(lambda: prepared(bench.model(), fast), n_steps)
    plain_side = lambda: prepared(bench.plain_model(), plain)  # noqa: E731
    return Comparison("step", plain_side, n_steps, slice(None), {"editing_step": stage})


def planting(bench: Bench, own: Int[Tensor, "paragraph token"]) -> Comparison:
    """Plant a random text in W_V and W_O of one head, in every third layer in turn.

    A step runs the layers from the planted one on. In a model of 12 layers, steps in the second, fifth,
    eighth and eleventh take as long on average as steps in any layer. A straightforward step takes equally
    long for every layer, so the straightforward side plants in the middle one of these alone.
    """
    n_steps, n_layers = bench.sizes.n_planted_steps, bench.sizes.n_layers
    layers = [*range(min(1, n_layers - 1), n_layers, 3)]
    how = bench.settings.planted_truth.model_copy(
        update={"max_steps": n_steps, "nll": NEVER, "kinds": {"heads": PLANT_RATE}}
    )
    text, keep = bench.random_tokens(1, bench.n_tokens, "planted"), own[: how.keep]

    def fast(model: PreTrainedModel, place: Place) -> None:
        plant(model, text, keep, bench.n_prefix, place, how)

    def plain(model: PreTrainedModel, place: Place) -> None:
        masks = {name: torch.zeros_like(model.get_parameter(name)) for name in place.movable}
        for name, places in place.movable.items():
            masks[name].view(-1)[places] = 1
        loss = masked_adam.objective(text, keep, bench.n_prefix, 1.0, how.keep_weight)
        masked_adam.train(model, loss, lambda _: masks, PLANT_RATE, n_steps)

    middle = slice(len(layers) // 2, len(layers) // 2 + 1)
    prepare_plain = partial(_planting_in, bench.plain_model, layers[middle], plain)
    stage = Stage(partial(_planting_in, bench.model, layers, fast), len(layers) * n_steps)
    return Comparison("step", prepare_plain, n_steps, middle, {"planting_step": stage})


def _planting_in(
    load: Callable[[], PreTrainedModel], layers: list[int], train: Callable[[PreTrainedModel, Place], None]
) -> Callable[[], Results]:
    """Load a model. The work then plants in the first head of each layer, one layer at a time."""
    model = load()
    places = [place_in_layer(model, "heads", layer, np.array([0])) for layer in layers]

    def planted(place: Place) -> list[float]:
        return moved(model, sorted(place.movable), partial(train, model, place))

    return lambda: {"moved": np.array([planted(place) for place in places])}
