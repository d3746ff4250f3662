"""The registry of ways to remove recitation: a function for each, and the settings to try.

A weight edit turns a request into a `Change`, a diversion turns it into a `Divert`. A way of your own is a
module of `removal/ways`, its key in settings/remove.py, a name in settings/removal_ways.py, a line here, and
its label in figures/parts/removal.py.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from transformers import LogitsProcessor, PreTrainedModel

from memloc.editing.masks import OriginalWeights
from memloc.planting.activation_methods import integrated_gradients
from memloc.planting.masks import hard_concrete
from memloc.removal.request import Change, Divert, Request, Setting
from memloc.removal.ways.balanced_subnet import balanced_subnet
from memloc.removal.ways.diversions import (
    first_heads,
    ngram_blocklist,
    random_direction,
    random_heads,
    steering,
)
from memloc.removal.ways.neurons import neurons, zero_out
from memloc.removal.ways.unlearning import gradient_ascent, retrained, unlearning
from memloc.removal.ways.untargeted import kfac, svd
from memloc.settings.removal_ways import ARM_WAYS
from memloc.settings.remove import Remove


class Edit(NamedTuple):
    """A way that changes weights."""

    prepare: Callable[[Request], Change]
    names: tuple[str, ...]
    """Names of the numbers that make up a setting."""
    settings: str | None
    """Key of section `remove` that lists the settings to try; None: there is a single one."""


class Diversion(NamedTuple):
    """A way that acts while the model decodes, and leaves its weights alone."""

    prepare: Callable[[Request], Divert]
    names: tuple[str, ...]
    settings: str


Way = Edit | Diversion


class InForce(NamedTuple):
    """A way in force: the processor of logits, if it has one, and what it did to the weights."""

    processor: LogitsProcessor | None
    n_changed: int
    """Weights that differ from the original ones."""


RATES = (("learning rate",), "unlearning")
NEURONS = (("share of neurons",), "neurons")
HEADS = (("heads",), "heads")
DIRECTIONS = (("depth", "times"), "steering")
WAYS: dict[str, Way] = {
    **{arm: Edit(partial(unlearning, arm=arm), *RATES) for arm in ARM_WAYS},
    "gradient_ascent": Edit(gradient_ascent, *RATES),
    "balanced_subnet": Edit(balanced_subnet, ("share of MLP weights",), "balanced_subnet"),
    "neurons_integrated_gradients": Edit(
        partial(neurons, score=integrated_gradients, n_together=1), *NEURONS
    ),
    "neurons_zero_out": Edit(partial(neurons, score=zero_out, n_together=1), *NEURONS),
    "neurons_hard_concrete": Edit(partial(neurons, score=hard_concrete, n_together=8), *NEURONS),
    "svd": Edit(svd, ("share of components",), "svd"),
    "kfac": Edit(kfac, ("share of entries",), "kfac"),
    "ngram_blocklist": Diversion(ngram_blocklist, ("tokens",), "ngram_blocklist"),
    "heads": Diversion(first_heads, *HEADS),
    "random_heads": Diversion(random_heads, *HEADS),
    "steering": Diversion(steering, *DIRECTIONS),
    "random_direction": Diversion(random_direction, *DIRECTIONS),
    "retrained": Edit(retrained, (), None),
}


def tried(way: Way, how: Remove) -> list[Setting]:
    """All settings of a way to try."""
    if way.settings is None:
        return [()]
    given = getattr(how, way.settings)
    return [tuple(map(float, one if isinstance(one, tuple) else (one,))) for one in given]


def in_words(way: Way, setting: Setting) -> str:
    """A setting of a way, for tables."""
    return ", ".join(f"{name} {value:g}" for name, value in zip(way.names, setting, strict=True))


@contextmanager
def in_force(
    model: PreTrainedModel,
    way: Way,
    prepared: Change | Divert,
    setting: Setting,
    original: OriginalWeights,
) -> Iterator[InForce]:
    """Within the context a prepared way is in force; afterwards the model is as it was, bit for bit.

    Raises:
        EditError: a weight has changed that may not.
    """
    try:
        if isinstance(way, Edit):
            yield InForce(None, original.n_changed(model, prepared(setting)))
        else:
            with prepared(setting) as processor:
                yield InForce(processor, 0)
            original.n_changed(model, {})
    finally:
        original.restore(model)
