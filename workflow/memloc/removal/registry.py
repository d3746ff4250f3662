"""The registry of ways to remove recitation: a function for each, and the settings to try.

A weight edit turns a request into a `Change`, a diversion turns it into a `Divert`. A way of your own is a
module of `removal/ways`, its key in settings/remove.py, a name and label in settings/removal_ways.py, and a
line here.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from transformers import LogitsProcessor

from memloc.model.subject import Subject
from memloc.model.weights import Original, edited
from memloc.planting.activation_methods import integrated_gradients
from memloc.removal.request import Change, Divert, Request, Setting
from memloc.removal.ways import diversions
from memloc.removal.ways.balanced_subnet import balanced_subnet
from memloc.removal.ways.gates import hard_concrete
from memloc.removal.ways.neurons import neurons, zero_out
from memloc.removal.ways.unlearning import gradient_ascent, retrained, unlearning
from memloc.removal.ways.untargeted import kfac, svd
from memloc.settings.removal_ways import ARM_WAYS
from memloc.settings.remove import Remove


class Way(NamedTuple):
    """A way: it changes weights, or it acts while the model decodes and leaves its weights alone."""

    prepare: Callable[[Request], Change | Divert]
    names: tuple[str, ...]
    """Names of the numbers that make up a setting."""
    settings: str | None
    """Key of section `remove` that lists the settings to try; None: there is a single one."""
    diverts: bool = False
    """Whether it leaves the weights alone."""


class InForce(NamedTuple):
    """A way in force: the processor of logits, if it has one, and what it did to the weights."""

    processor: LogitsProcessor | None
    n_changed: int = 0
    """Weights that differ from the original ones."""
    original: Original | None = None


RATES = (("learning rate",), "unlearning")
NEURONS = (("share of neurons",), "neurons")
HEADS = (("number of heads",), "heads")
DIRECTIONS = (("depth", "times"), "steering")
WAYS: dict[str, Way] = {
    **{arm: Way(partial(unlearning, arm=arm), *RATES) for arm in ARM_WAYS},
    "gradient_ascent": Way(gradient_ascent, *RATES),
    "balanced_subnet": Way(balanced_subnet, ("share of MLP weights",), "balanced_subnet"),
    "neurons_integrated_gradients": Way(partial(neurons, score=integrated_gradients, n_together=1), *NEURONS),
    "neurons_zero_out": Way(partial(neurons, score=zero_out, n_together=1), *NEURONS),
    "neurons_hard_concrete": Way(partial(neurons, score=hard_concrete, n_together=8), *NEURONS),
    "svd": Way(svd, ("share of components",), "svd"),
    "kfac": Way(kfac, ("share of entries",), "kfac"),
    "ngram_blocklist": Way(diversions.ngram_blocklist, ("tokens",), "ngram_blocklist", diverts=True),
    "heads": Way(diversions.first_heads, *HEADS, diverts=True),
    "random_heads": Way(diversions.random_heads, *HEADS, diverts=True),
    "steering": Way(diversions.steering, *DIRECTIONS, diverts=True),
    "random_direction": Way(diversions.random_direction, *DIRECTIONS, diverts=True),
    "retrained": Way(retrained, (), None),
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
def in_force(subject: Subject, way: Way, prepared: Change | Divert, setting: Setting) -> Iterator[InForce]:
    """Within the context a prepared way is in force; afterwards the model is as it was, bit for bit.

    Raises:
        EditError: a weight has changed that may not.
    """
    with edited(subject) as original:
        if not way.diverts:
            yield InForce(None, original.n_changed(prepared(setting)), original)
            return
        with prepared(setting) as processor:
            yield InForce(processor)
        original.n_changed({})
