"""Read and replace activations where a model computes them, and take gradients with respect to them.

The caller chooses the pass: how many tokens, which part of the model. Sites have TransformerLens's names. The
model's own modules are hooked, or those of TransformerLens where a subject has its bridge. Tests compare both
at every site of every family.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from memloc.model.components import Component
from memloc.model.subject import Subject

PROJECTIONS = {"q": "W_Q", "k": "W_K", "v": "W_V"}  # activation: the component that computes it
HEAD_COMPONENTS = (*PROJECTIONS, "z")
COMPONENTS = (*HEAD_COMPONENTS, "pre", "post")
HOOKS = {  # names of TransformerLens
    "resid_pre": "hook_resid_pre",
    "q": "attn.hook_q",  # before a rotary position embedding, where the model has one; see `hook_of`
    "k": "attn.hook_k",
    "v": "attn.hook_v",
    "pattern": "attn.hook_pattern",  # read through a bridge only
    "z": "attn.hook_z",
    "attn_out": "attn.hook_out",
    "pre": "mlp.hook_pre",  # input of the nonlinearity; in a gated MLP, output of the gate matrix
    "post": "mlp.hook_post",
    "mlp_out": "mlp.hook_out",
    "resid_post": "hook_resid_post",
}
NORMED = "_normed"  # how a hook's name ends behind a norm over all heads together
# The matrix that a site enters, or that it leaves.
ENTERS, LEAVES = {"z": "W_O", "post": "W_out"}, {"attn_out": "W_O", "mlp_out": "W_out"}
View = Callable[[Tensor], Tensor]
Change = Callable[[Tensor], Tensor]


class Site(NamedTuple):
    """Where an activation is read or replaced: a component of a layer.

    Shapes: q, k, v, z [row, position, head, hidden] with as many heads as the model has for k and v;
    pattern [row, head, query, key]; others [row, position, hidden].
    """

    layer: int
    component: str


def sites(subject: Subject, components: Collection[str]) -> list[Site]:
    """The components of each layer, layer by layer.

    Raises:
        ValueError: a component that is not read here.
    """
    known = {name for name in HOOKS if subject.bridge or name != "pattern"}
    if unknown := set(components) - known:
        raise ValueError(f"the model has no component {sorted(unknown)[0]!r}")
    return [Site(layer, component) for layer in range(subject.n_layers) for component in components]


def projection(subject: Subject, site: Site) -> Component:
    """The component that computes q, k or v."""
    return subject.component(site.layer, PROJECTIONS[site.component])


def hook_of(subject: Subject, site: Site) -> str:
    """TransformerLens name of a site's hook.

    Queries and keys that pass a norm over all heads together are read after it. A change of one head before
    that norm would move all other heads, and the head's gradient would include theirs.
    """
    normed = NORMED if site.component in PROJECTIONS and projection(subject, site).stored.norm else ""
    return f"blocks.{site.layer}.{HOOKS[site.component]}{normed}"


class Activations:
    """Activations of the last pass by site; views of tensors that are part of the autograd graph."""

    def __init__(self, places: Mapping[Site, tuple[str, View]]) -> None:
        self._places = places
        self._found: dict[str, Tensor] = {}  # by the name of their place, as the model computes them

    def keep(self, name: str, found: Tensor) -> None:
        """Store what the model computes at a place."""
        self._found[name] = found

    def __getitem__(self, site: Site) -> Float[Tensor, "..."]:
        name, view = self._places[site]
        return view(self._found[name])

    def gradients(self, loss: Float[Tensor, ""]) -> dict[Site, Float[Tensor, "..."]]:
        """Gradient of `loss` with respect to the activations; no gradient of any weight is computed."""
        slopes = torch.autograd.grad(loss, list(self._found.values()))
        of_place = dict(zip(self._found, slopes, strict=True))
        return {site: view(of_place[name]) for site, (name, view) in self._places.items()}


@contextmanager
def reading(subject: Subject, sites: Sequence[Site]) -> Iterator[Activations]:
    """Within the context, every pass stores its activations at these sites."""
    if subject.bridge is not None:
        with _through_bridge(subject, sites) as found:
            yield found
        return
    places = {site: _place(subject, site) for site in sites}
    hooked = {f"{name} {side}": (name, side) for name, side, _ in places.values()}
    found = Activations({site: (f"{name} {side}", view) for site, (name, side, view) in places.items()})
    with ExitStack() as hooks:
        for key, (name, side) in hooked.items():
            hooks.enter_context(hook(subject.module(name), partial(found.keep, key), side))
        yield found


@contextmanager
def replacing(subject: Subject, changes: Mapping[Site, Change]) -> Iterator[None]:
    """Within the context, each site's activation is replaced by what its function makes of it."""
    with ExitStack() as hooks:
        for site, change in changes.items():
            name, side, view = _place(subject, site)
            hooks.enter_context(hook(subject.module(name), partial(_put, view, change), side))
        yield


def hook(module: nn.Module, function: Callable[[Tensor], Tensor | None], side: str) -> RemovableHandle:
    """Within this context, a function sees the first input of a module (`side` input), or its output.

    What the function returns, if anything, takes its place.
    """

    def before(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
        new = function(inputs[0])
        return None if new is None else (new, *inputs[1:])

    if side == "input":
        return module.register_forward_pre_hook(before)
    return module.register_forward_hook(lambda _, inputs, output: function(output))


@contextmanager
def around_weights(
    model: nn.Module, names: Collection[str]
) -> Iterator[tuple[dict[str, Tensor], dict[str, Tensor]]]:
    """Within the context, inputs and outputs of the linear modules of these parameters, by parameter."""
    inputs, outputs = {}, {}
    with ExitStack() as hooks:
        for name in names:
            module = model.get_submodule(name.removesuffix(".weight"))
            hooks.enter_context(hook(module, partial(inputs.__setitem__, name), "input"))
            hooks.enter_context(hook(module, partial(outputs.__setitem__, name), "output"))
        yield inputs, outputs


def _place(subject: Subject, site: Site) -> tuple[str, str, View]:
    """The module that an activation enters or leaves, the side, and the view of it there."""
    layer, component = site
    if component in PROJECTIONS:
        own = projection(subject, site)
        return own.output, "output", own.heads
    if component in ("resid_pre", "resid_post"):
        return subject.stream[layer + (component == "resid_post")], "input", _as_it_is
    if component in ENTERS:
        view = partial(_by_head, subject.n_heads) if component == "z" else _as_it_is
        return subject.component(layer, ENTERS[component]).module, "input", view
    leaves = LEAVES.get(component) or ("W_gate" if subject.family.gated else "W_in")
    return subject.component(layer, leaves).module, "output", _as_it_is


def _as_it_is(activation: Tensor) -> Tensor:
    return activation


def _by_head(n_heads: int, z: Float[Tensor, "*row d_heads"]) -> Float[Tensor, "*row head d_head"]:
    """Heads lie one after the other in every family."""
    return z.unflatten(-1, (n_heads, -1))


def _put(view: View, change: Change, found: Tensor) -> Tensor:
    """What a module takes or gives, with the changed activation; fused modules give q, k and v together."""
    viewed = view(found)
    if viewed.numel() == found.numel():
        return change(viewed).flatten(2)
    found = found.clone()
    view(found).copy_(change(viewed))
    return found


@contextmanager
def _through_bridge(subject: Subject, sites: Sequence[Site]) -> Iterator[Activations]:
    names = {site: hook_of(subject, site) for site in sites}
    found = Activations({site: (name, _as_it_is) for site, name in names.items()})

    def record(activation: Tensor, hook: object, name: str) -> Tensor:
        in_columns = name.endswith(NORMED)
        # The model must go on with this very view: its loss has no gradient with respect to another view.
        viewed = activation.unflatten(-1, (-1, subject.bridge.cfg.d_head)) if in_columns else activation
        found.keep(name, viewed)
        return viewed.flatten(-2) if in_columns else viewed

    with subject.bridge.hooks(fwd_hooks=[(name, partial(record, name=name)) for name in names.values()]):
        yield found
