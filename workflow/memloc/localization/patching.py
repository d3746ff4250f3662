"""Two-way activation patching of memorized paragraphs and their perturbed versions (paper A.3).

A pair differs in a perturbed token and, from the impact position on, in its continuation. One paragraph gives
the clean run. At one site at a time, its activations are replaced by those of the other paragraph's run. The
metric is the change in the NLL (nats) of the impact token: the token of the CLEAN paragraph at the impact
position. A positive change means that the other paragraph's activation makes the clean paragraph's own token
less likely.

    memorized_into_perturbed: clean = the perturbed paragraph, activations of the memorized one are patched in
    perturbed_into_memorized: clean = the memorized paragraph, activations of the perturbed one are patched in

Attention is causal, so a patch can change only part of a run. Only this part is computed:

- positions from the perturbed one to the one that predicts the impact token. The keys and values of the
  tokens before, which both paragraphs share, are computed once and read from a cache.
- layers from the patched one on. Layers are called as the model itself called them in the clean run. Patches
  are stacked along the batch axis and sorted by layer: each row joins the batch at the layer that it patches.
- in the layer whose query is patched, the position of that query; its other positions stay as they were.
- in the last layer, the output of attention, the MLP and the unembedding at the predicting position alone.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import DynamicCache, PreTrainedModel

from memloc.model.activations import gradients
from memloc.model.components import PROJECTIONS, Component, components, layers_of, modules_of
from memloc.model.hooks import changed_input, keeping
from memloc.model.micro_batches import in_micro_batches
from memloc.model.partial_forward import Call, call_layer, recording_calls
from memloc.perturbation.pairs import Pairs
from memloc.scoring.teacher_forcing import token_nll
from memloc.tables.terms.patching import DIRECTIONS

EXACT_UP_TO = 1_000_000_000  # parameters; patches of larger models are estimated by default
HEAD_COLUMNS = ["id", "direction", "layer", "component", "head", "nll_change", "method"]


class Patch(NamedTuple):
    """A replaced activation at one position: a head of q, k or v, or the stream that enters a layer."""

    layer: int
    component: str  # q, k, v or resid_pre
    position: int  # from the perturbed one on, which is 0
    head: int | None = None


class SharedPrefix(DynamicCache):
    """Keys and values of the tokens before the perturbed one: every row of a batch reads them."""

    def __init__(self, filled: DynamicCache) -> None:
        super().__init__()
        self.layers = filled.layers

    def update(self, keys: Tensor, values: Tensor, layer: int, *args: Any, **kwargs: Any) -> tuple:
        """The prefix's keys and values followed by each row's own for later tokens, which are not kept."""
        if layer >= len(self.layers):  # the first token is the perturbed one
            return keys, values
        before = self.layers[layer].keys, self.layers[layer].values
        return tuple(
            torch.cat([shared.expand(len(own), -1, -1, -1), own], dim=-2)
            for shared, own in zip(before, (keys, values), strict=True)
        )


class Run(NamedTuple):
    """One paragraph, from its perturbed position to the one that predicts the impact token."""

    tokens: Int[Tensor, "token"]  # at these positions, and the impact token
    prefix: SharedPrefix
    calls: list[Call]  # of every layer, and of the norm after the last one
    outputs: dict[str, Float[Tensor, "1 position column"]]  # of the modules `Component.output` of q, k and v
    nll: Float[Tensor, "1"]


class Runs(NamedTuple):
    """The clean run, the run of its perturbed token alone, and the run that patches come from."""

    clean: Run
    alone: Run
    source: Run


def wants_exact(exact: bool | None, model: PreTrainedModel) -> bool:
    """Whether every patch is run; if `exact` is None, in models of up to `EXACT_UP_TO` parameters."""
    return model.num_parameters() <= EXACT_UP_TO if exact is None else exact


def activation_patching(model: PreTrainedModel, pairs: Pairs, micro_batch: int) -> pd.DataFrame:
    """Patch each head of q, k and v in each layer at the perturbed position (Fig. 11).

    Columns: id, direction, layer, component, head, nll_change, method. Every patch is run, `micro_batch` of
    them at a time. Grouped-query models have fewer heads for k and v than for q.
    """
    patches = _head_patches(model)
    return _patch(model, pairs, lambda n_positions: patches, micro_batch).assign(method="exact")[HEAD_COLUMNS]


def residual_patching(model: PreTrainedModel, pairs: Pairs, micro_batch: int) -> pd.DataFrame:
    """Patch the residual stream that enters each layer, one position at a time.

    Columns: id, direction, layer, position, nll_change. Positions run from the perturbed one to the one that
    predicts the impact token; at earlier ones both runs are equal.
    """

    def patches(n_positions: int) -> list[Patch]:
        layers = range(len(layers_of(model)))
        return [Patch(layer, "resid_pre", position) for layer in layers for position in range(n_positions)]

    frame = _patch(model, pairs, patches, micro_batch)
    return frame[["id", "direction", "layer", "position", "nll_change"]]


def attribution_patching(model: PreTrainedModel, pairs: Pairs) -> pd.DataFrame:
    """First-order estimate of `activation_patching` with the same columns: clean gradient x difference.

    Per pair, two forward passes and one backward pass for each direction give the estimates of all heads. An
    estimate is a screen only, because the metric is not linear in differences as large as between two tokens.
    """
    patches, frames = _head_patches(model), []
    with _last_position_only(model):
        for number, direction, clean, source in _runs(model, pairs):
            labels = {"id": pairs.ids[number], "direction": direction, "method": "attribution"}
            changes = _first_order(model, clean, source)
            frames.append(pd.DataFrame(patches).assign(nll_change=changes, **labels))
    return pd.concat(frames, ignore_index=True)[HEAD_COLUMNS]


def _projections(model: PreTrainedModel) -> dict[tuple[int, str], Component]:
    """The components that compute q, k and v, by layer and activation."""
    computed = {name: activation for activation, name in PROJECTIONS.items()}
    return {(own.layer, computed[own.name]): own for own in components(model) if own.name in computed}


def _head_patches(model: PreTrainedModel) -> list[Patch]:
    return [
        Patch(layer, name, 0, head)
        for (layer, name), component in _projections(model).items()
        for head in range(component.n_heads)
    ]


@torch.inference_mode()
def _patch(
    model: PreTrainedModel, pairs: Pairs, patches: Callable[[int], list[Patch]], micro_batch: int
) -> pd.DataFrame:
    """Run the patches that `patches(number of positions)` asks for, sorted by layer, in both directions."""
    frames = []
    with _last_position_only(model):
        for number, direction, clean, source in _runs(model, pairs):
            chosen = patches(clean.calls[0].residual.shape[1])
            runs = Runs(clean, _run(model, clean.tokens[:2], clean.prefix), source)
            some = partial(_patched_nll, model, runs, chosen)
            patched = torch.cat(in_micro_batches(some, micro_batch, torch.arange(len(chosen))))
            frame = pd.DataFrame(chosen).assign(id=pairs.ids[number], direction=direction)
            frame["position"] += int(pairs.perturbed_position[number])
            frames.append(frame.assign(nll_change=(patched - clean.nll).cpu().numpy()))
    return pd.concat(frames, ignore_index=True)


@contextmanager
def _last_position_only(model: PreTrainedModel) -> Iterator[None]:
    """Within the context, the last layer's output is right at the last position only, and cheap.

    Its attention reads all positions, but W_O and the MLP get the last one only. Their output is added to the
    residual stream of every position.
    """

    last = len(layers_of(model)) - 1
    modules = modules_of(model, "W_O")[last], layers_of(model)[last].mlp
    with ExitStack() as hooks:
        for module in modules:
            hooks.enter_context(changed_input(module, lambda states: states[:, -1:]))
        yield


def _runs(model: PreTrainedModel, pairs: Pairs) -> Iterator[tuple[int, str, Run, Run]]:
    """For each pair and direction: number of the pair, direction, clean run, run that patches come from.

    The model is put into evaluation mode: in training mode, checkpointed layers would drop the cache.
    """
    model.eval()
    for number in range(len(pairs.ids)):
        position, impact = int(pairs.perturbed_position[number]), int(pairs.impact_position[number])
        paragraphs = torch.stack([pairs.memorized[number], pairs.perturbed[number]]).to(model.device)
        shared = _prefix(model, paragraphs[0, :position])
        memorized, perturbed = (_run(model, row[position : impact + 1], shared) for row in paragraphs)
        clean_and_source = (perturbed, memorized), (memorized, perturbed)
        for direction, (clean, source) in zip(DIRECTIONS, clean_and_source, strict=True):
            yield number, direction, clean, source


def _prefix(model: PreTrainedModel, tokens: Int[Tensor, "token"]) -> SharedPrefix:
    cache = DynamicCache()
    if len(tokens):
        with torch.no_grad():
            model.base_model(tokens[None], cache=cache, use_cache=True)
    return SharedPrefix(cache)


def _run(model: PreTrainedModel, tokens: Int[Tensor, "token"], prefix: SharedPrefix) -> Run:
    names = {component.output for component in _projections(model).values()}
    modules = {name: model.get_submodule(name) for name in names}
    with recording_calls(model) as calls, keeping(modules) as kept:
        hidden = model.base_model(tokens[None, :-1], cache=prefix, use_cache=True).last_hidden_state
    outputs = {name: output for name, (_, output) in kept.items()}
    return Run(tokens, prefix, calls, outputs, _nll(model, hidden, tokens[-1:]))


def _nll(
    model: PreTrainedModel, hidden: Float[Tensor, "row position hidden"], target: Int[Tensor, "1"]
) -> Float[Tensor, "row"]:
    """NLL of the target after the last position; half precision is raised to single."""
    logits = model.get_output_embeddings()(hidden[:, -1])
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return token_nll(logits, target.to(logits.device).expand(len(hidden)))


def _patched_nll(
    model: PreTrainedModel, runs: Runs, every: Sequence[Patch], some: Int[Tensor, "patch"]
) -> Float[Tensor, "patch"]:
    """NLL of the impact token in the clean run with each of some patches.

    A row joins the batch at the first layer that its patch changes at more than the patched position: at the
    patched layer, or for a query one layer above.
    """
    patches = [every[place] for place in some]
    joins = [patch.layer + _is_query(patch) for patch in patches]
    order = sorted(range(len(patches)), key=lambda at: (joins[at], not _is_query(patches[at])))
    rows = runs.clean.calls[0].residual[:0]
    for number in range(min(joins), len(runs.clean.calls)):
        joining = [patches[at] for at in order if joins[at] == number]
        queries = [patch for patch in joining if _is_query(patch)]
        if queries:
            rows = torch.cat([rows, _above_queries(model, runs, queries)])
        rows = _through_layer(model, number, rows, runs, joining[len(queries) :])
    nll = _nll(model, rows, runs.clean.tokens[-1:])
    return nll[torch.tensor(order).argsort()]


def _is_query(patch: Patch) -> bool:
    return patch.component == "q"


def _through_layer(
    model: PreTrainedModel,
    number: int,
    rows: Float[Tensor, "row position hidden"],
    runs: Runs,
    joining: Sequence[Patch],
) -> Float[Tensor, "row+patch position hidden"]:
    """A layer's output for the rows, and for one more clean row per patch that joins them there.

    Patches of the residual stream are made in their rows before the layer, patches of heads within it.
    """
    clean, source = runs.clean.calls[number], runs.source.calls[number]
    joined = clean.residual.repeat(len(joining), 1, 1)
    for row, patch in enumerate(joining):
        if patch.component == "resid_pre":
            joined[row, patch.position] = source.residual[0, patch.position]
    with _patched_heads(model, len(rows), joining, runs.source):
        return call_layer(model, number, clean, torch.cat([rows, joined]))


def _above_queries(
    model: PreTrainedModel, runs: Runs, patches: Sequence[Patch]
) -> Float[Tensor, "patch position hidden"]:
    """The residual stream above the layer of the patched queries; a query changes its own position alone."""
    number = patches[0].layer
    call = runs.alone.calls[number]
    with _patched_heads(model, 0, patches, runs.source):
        alone = call_layer(model, number, call, call.residual.repeat(len(patches), 1, 1))
    residuals = runs.clean.calls[number + 1].residual.repeat(len(patches), 1, 1)
    residuals[:, 0] = alone[:, 0]
    return residuals


@contextmanager
def _patched_heads(
    model: PreTrainedModel, n_before: int, patches: Sequence[Patch], source: Run
) -> Iterator[None]:
    """Within the context, rows `n_before`, `n_before` + 1, .. of the batch have one head replaced each.

    These rows join the batch here, so up to q, k and v they are all the same clean run. One of them is
    projected and repeated for every patch; then each copy gets its head from the other paragraph's run.
    """
    layers = {patch.layer for patch in patches if patch.component in PROJECTIONS}  # one; none for resid_pre
    computing = {name: own for (layer, name), own in _projections(model).items() if layer in layers}

    def repeated_and_patched(name: str, module: nn.Module, inputs: tuple, output: Tensor) -> Tensor:
        output = torch.cat([output[:n_before], output[n_before:].expand(len(patches), -1, -1)])
        for row, patch in enumerate(patches, n_before):
            component, here = computing[patch.component], (patch.position, patch.head)
            if component.output == name:
                component.heads(output)[row, *here] = component.heads(source.outputs[name])[0, *here]
        return output

    with ExitStack() as hooks:
        for name in {component.module for component in computing.values()}:
            one_clean_row = changed_input(model.get_submodule(name), lambda states: states[: n_before + 1])
            hooks.enter_context(one_clean_row)
        for name in {component.output for component in computing.values()}:
            hook = partial(repeated_and_patched, name)
            hooks.enter_context(model.get_submodule(name).register_forward_hook(hook))
        yield


def _first_order(model: PreTrainedModel, clean: Run, source: Run) -> Float[np.ndarray, "patch"]:
    """Change in NLL to first order, in the order of `_head_patches`."""
    slopes = gradients(clean.nll.sum(), clean.outputs)
    changes = []
    for component in _projections(model).values():
        name = component.output
        difference = (source.outputs[name] - clean.outputs[name]).detach()
        products = component.heads(difference) * component.heads(slopes[name])
        changes.append(products[0, 0].sum(dim=-1).double().cpu())
    return torch.cat(changes).numpy()
