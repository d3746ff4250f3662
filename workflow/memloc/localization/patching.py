"""Two-way activation patching of memorized paragraphs and their perturbed versions (paper A.3).

A pair differs in a perturbed token and, from the impact position on, in its continuation. One paragraph is
the receiver. At one head at a time, its activations are replaced by those of the other one, the source. The
metric is the change in the NLL (nats) of the impact token: the token of the RECEIVER at the impact position.
A positive change means that the source's activation makes the receiver's own token less likely.

    memorized_into_perturbed: activations of the memorized paragraph are patched into the perturbed one
    perturbed_into_memorized: activations of the perturbed paragraph are patched into the memorized one

Attention is causal, so a patch can change only part of a run. Only this part is computed:

- positions from the perturbed one to the one that predicts the impact token. The keys and values of the
  tokens before, which both paragraphs share, are computed once and read from a cache.
- layers from the patched one on. Layers are called as the model itself called them in the receiver's run.
  Patches are stacked along the batch axis and sorted by layer: each row joins the batch at the layer that it
  patches.
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
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import DynamicCache

from memloc.model.passes import Call, call_layer, recording_calls
from memloc.model.sites import PROJECTIONS, Activations, Site, hook, projection, reading, sites
from memloc.model.subject import Subject, in_micro_batches
from memloc.perturbation.pairs import Pairs
from memloc.tables.terms.patching import DIRECTIONS

EXACT_UP_TO = 1_000_000_000  # parameters; patches of larger models are estimated by default
COLUMNS = ["id", "direction", "layer", "component", "head", "nll_change", "method"]


class Patch(NamedTuple):
    """A head of q, k or v that is replaced at the perturbed position, the first one of a run."""

    layer: int
    component: str
    head: int


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
    heads: Activations  # q, k and v
    nll: Float[Tensor, "1"]


class Runs(NamedTuple):
    """The receiver's run, the run of its perturbed token alone, and the run that patches come from."""

    receiver: Run
    alone: Run
    source: Run


def wants_exact(exact: bool | None, subject: Subject) -> bool:
    """Whether every patch is run; if `exact` is None, in models of up to `EXACT_UP_TO` parameters."""
    return subject.model.num_parameters() <= EXACT_UP_TO if exact is None else exact


@torch.inference_mode()
def activation_patching(subject: Subject, pairs: Pairs) -> pd.DataFrame:
    """Patch each head of q, k and v in each layer at the perturbed position (Fig. 11).

    Columns: id, direction, layer, component, head, nll_change, method. Every patch is run, a micro-batch of
    them at a time. Grouped-query models have fewer heads for k and v than for q.
    """
    patches = _patches(subject)

    def exact(receiver: Run, source: Run) -> Float[np.ndarray, "patch"]:
        runs = Runs(receiver, _run(subject, receiver.tokens[:2], receiver.prefix), source)
        some = partial(_patched_nll, subject, runs, patches)
        patched = torch.cat(in_micro_batches(some, subject.micro_batch, torch.arange(len(patches))))
        return (patched - receiver.nll).cpu().numpy()

    return _changes(subject, pairs, exact).assign(method="exact")[COLUMNS]


def attribution_patching(subject: Subject, pairs: Pairs) -> pd.DataFrame:
    """First-order estimate of `activation_patching`, same columns: the receiver's gradient x difference.

    Per pair, two forward passes and one backward pass for each direction give the estimates of all heads. An
    estimate is a screen only, because the metric is not linear in differences as large as between two tokens.
    """

    def first_order(receiver: Run, source: Run) -> Float[np.ndarray, "patch"]:
        changes = []
        for site, slope in receiver.heads.gradients(receiver.nll.sum()).items():
            difference = (source.heads[site] - receiver.heads[site]).detach()
            changes.append((difference * slope)[0, 0].sum(dim=-1).double().cpu())
        return torch.cat(changes).numpy()

    return _changes(subject, pairs, first_order).assign(method="attribution")[COLUMNS]


def _patches(subject: Subject) -> list[Patch]:
    return [
        Patch(*site, head)
        for site in sites(subject, PROJECTIONS)
        for head in range(projection(subject, site).n_heads)
    ]


def _changes(
    subject: Subject, pairs: Pairs, of_runs: Callable[[Run, Run], Float[np.ndarray, "patch"]]
) -> pd.DataFrame:
    """The changes that a function of the receiver's and the source's run gives for `_patches`."""
    patches, frames = pd.DataFrame(_patches(subject)), []
    with _last_position_only(subject):
        for number, direction, receiver, source in _runs(subject, pairs):
            changes = of_runs(receiver, source)
            frames.append(patches.assign(id=pairs.ids[number], direction=direction, nll_change=changes))
    return pd.concat(frames, ignore_index=True)


@contextmanager
def _last_position_only(subject: Subject) -> Iterator[None]:
    """Within the context, the last layer's output is right at the last position only, and cheap.

    Its attention reads all positions, but W_O and the MLP get the last one only. Their output is added to the
    residual stream of every position.
    """
    last = subject.n_layers - 1
    with ExitStack() as hooks:
        for name in (subject.component(last, "W_O").module, f"{subject.stream[last]}.mlp"):
            hooks.enter_context(hook(subject.module(name), lambda states: states[:, -1:], "input"))
        yield


def _runs(subject: Subject, pairs: Pairs) -> Iterator[tuple[int, str, Run, Run]]:
    """For each pair and direction: number of the pair, direction, runs of the receiver and of the source.

    The model is put into evaluation mode: in training mode, checkpointed layers would drop the cache.
    """
    subject.model.eval()
    for number in range(len(pairs.ids)):
        position, impact = int(pairs.perturbed_position[number]), int(pairs.impact_position[number])
        paragraphs = torch.stack([pairs.memorized[number], pairs.perturbed[number]]).to(subject.device)
        shared = _prefix(subject, paragraphs[0, :position])
        memorized, perturbed = (_run(subject, row[position : impact + 1], shared) for row in paragraphs)
        receiver_and_source = (perturbed, memorized), (memorized, perturbed)
        for direction, (receiver, source) in zip(DIRECTIONS, receiver_and_source, strict=True):
            yield number, direction, receiver, source


def _prefix(subject: Subject, tokens: Int[Tensor, "token"]) -> SharedPrefix:
    cache = DynamicCache()
    if len(tokens):
        with torch.no_grad():
            subject.hidden(tokens[None], cache)
    return SharedPrefix(cache)


def _run(subject: Subject, tokens: Int[Tensor, "token"], prefix: SharedPrefix) -> Run:
    with recording_calls(subject) as calls, reading(subject, sites(subject, PROJECTIONS)) as heads:
        hidden = subject.hidden(tokens[None, :-1], prefix)
    return Run(tokens, prefix, calls, heads, _nll(subject, hidden, tokens[-1:]))


def _nll(
    subject: Subject, hidden: Float[Tensor, "row position hidden"], target: Int[Tensor, "1"]
) -> Float[Tensor, "row"]:
    """NLL of the target after the last position."""
    logits = subject.logits(hidden[:, -1])
    return cross_entropy(logits, target.to(logits.device).expand(len(hidden)), reduction="none")


def _patched_nll(
    subject: Subject, runs: Runs, every: Sequence[Patch], some: Int[Tensor, "patch"]
) -> Float[Tensor, "patch"]:
    """NLL of the impact token in the receiver's run with each of some patches.

    A row joins the batch at the first layer that its patch changes at more than the patched position: at the
    patched layer, or for a query one layer above.
    """
    patches = [every[place] for place in some]
    joins = [patch.layer + (patch.component == "q") for patch in patches]
    order = sorted(range(len(patches)), key=lambda at: (joins[at], patches[at].component != "q"))
    rows = runs.receiver.calls[0].residual[:0]
    for number, call in enumerate(runs.receiver.calls):
        joining = [patches[at] for at in order if joins[at] == number]
        queries = [patch for patch in joining if patch.component == "q"]
        if queries:
            rows = torch.cat([rows, _above_queries(subject, runs, queries)])
        others = joining[len(queries) :]
        entering = torch.cat([rows, call.residual.repeat(len(others), 1, 1)])
        if len(entering):
            with _patched_heads(subject, len(rows), others, runs.source):
                rows = call_layer(subject, number, call, entering)
    return _nll(subject, rows, runs.receiver.tokens[-1:])[torch.tensor(order).argsort()]


def _above_queries(
    subject: Subject, runs: Runs, patches: Sequence[Patch]
) -> Float[Tensor, "patch position hidden"]:
    """The residual stream above the layer of the patched queries; a query changes its own position alone."""
    number = patches[0].layer
    call = runs.alone.calls[number]
    with _patched_heads(subject, 0, patches, runs.source):
        alone = call_layer(subject, number, call, call.residual.repeat(len(patches), 1, 1))
    residuals = runs.receiver.calls[number + 1].residual.repeat(len(patches), 1, 1)
    residuals[:, 0] = alone[:, 0]
    return residuals


@contextmanager
def _patched_heads(subject: Subject, n_before: int, patches: Sequence[Patch], source: Run) -> Iterator[None]:
    """Within the context, rows `n_before`, `n_before` + 1, .. of the batch have one head replaced each.

    These rows join the batch here, so up to q, k and v they are all the same row of the receiver. One of them
    is projected and repeated for every patch; then each copy gets its head from the source's run.
    """
    # All are in one layer.
    wanted = [Site(patch.layer, name) for patch in patches[:1] for name in PROJECTIONS]
    computing = {site: projection(subject, site) for site in wanted}

    def repeated_and_patched(name: str, output: Tensor) -> Tensor:
        output = torch.cat([output[:n_before], output[n_before:].expand(len(patches), -1, -1)])
        for row, patch in enumerate(patches, n_before):
            site = Site(patch.layer, patch.component)
            if computing[site].output == name:
                computing[site].heads(output)[row, 0, patch.head] = source.heads[site][0, 0, patch.head]
        return output

    with ExitStack() as hooks:
        for name in {own.module for own in computing.values()}:
            hooks.enter_context(hook(subject.module(name), lambda states: states[: n_before + 1], "input"))
        for name in {own.output for own in computing.values()}:
            hooks.enter_context(hook(subject.module(name), partial(repeated_and_patched, name), "output"))
        yield
