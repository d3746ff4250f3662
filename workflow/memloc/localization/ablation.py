"""Which heads does a memorized continuation need? Ablate them in the forward pass (not in the paper).

Gradients and attention point at heads; only an intervention shows that a head matters. A head is ablated by
replacing its output z, the input of its part of W_O, at every position, by its mean over other text. The
mean keeps the head's contribution to any text and removes its contribution to this one. The effect
is the difference in scores of the same continuations with and without the head: EM (tokens lost) and NLL
(nats gained). The *specific* effect is the effect on memorized paragraphs minus the effect on non-memorized
ones with the model's own continuation, which also starts from the full EM. A head that every text needs has
no specific effect. Where there are enough, paragraphs that no analysis has sampled judge heads (`held_out`).
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from memloc.model.passes import last_mlp_predicts, recorded_calls, states_from
from memloc.model.sites import Site, reading, replacing, sites
from memloc.model.subject import Subject, Tokens
from memloc.scoring.held_out import Group, labels
from memloc.scoring.paragraph_scores import scores_of_states
from memloc.tables.terms.head_ranking import COMBINED

Head = tuple[int, int]  # layer, head


class Intervention(NamedTuple):
    """A change of the computation of layers."""

    first: int
    """The lowest layer that it changes, or the number of layers."""
    key: Hashable
    """Equal keys mean equal changes."""
    applied: Callable[[Subject], AbstractContextManager[None]]
    """Within the context, the intervention is made."""


Plan = list[tuple[dict[str, object], Intervention]]
"""Interventions with the labels of their rows."""


def ablation(heads: Sequence[Head], outputs: Float[Tensor, "layer head d_head"]) -> Intervention:
    """Heads are ablated together; `outputs` replace theirs."""
    first = min((layer for layer, _ in heads), default=len(outputs))
    key = frozenset(heads), id(outputs)
    return Intervention(first, key, lambda subject: ablated(subject, heads, outputs))


def mean_outputs(subject: Subject, tokens: Tokens) -> Float[Tensor, "layer head d_head"]:
    """Mean output z of every head over all paragraphs and positions."""
    return torch.stack([*means(subject, sites(subject, ["z"]), tokens).values()])


@torch.inference_mode()
def means(
    subject: Subject, wanted: Sequence[Site], tokens: Tokens, first: int = 0
) -> dict[Site, Float[Tensor, "*hidden"]]:
    """Mean activation at every site over all paragraphs and their positions from `first` on."""

    def of_rows(rows: Tokens) -> dict[Site, Tensor]:
        with reading(subject, wanted) as found:
            subject.hidden(rows)
        return {site: found[site][:, first:].double().sum(dim=(0, 1)).cpu() for site in wanted}

    batches = subject.in_batches(of_rows, tokens)
    totals, n = {site: sum(batch[site] for batch in batches) for site in wanted}, tokens[:, first:].numel()
    return {site: total.div(n).to(subject.model.dtype) for site, total in totals.items()}


def ablated(
    subject: Subject, heads: Iterable[Head], outputs: Float[Tensor, "layer head d_head"]
) -> AbstractContextManager[None]:
    """Within the context, `outputs` replaces the output z of these heads at every position."""
    by_layer: dict[int, list[int]] = {}
    for layer, head in heads:
        by_layer.setdefault(layer, []).append(head)

    def replaced(layer: int, z: Float[Tensor, "*row head d_head"]) -> Float[Tensor, "*row head d_head"]:
        z, chosen = z.clone(), by_layer[layer]
        z[..., chosen, :] = outputs[layer, chosen].to(z)
        return z

    return replacing(subject, {Site(layer, "z"): partial(replaced, layer) for layer in by_layer})


def ablated_scores(
    subject: Subject, tokens: Tokens, interventions: Sequence[Intervention]
) -> list[pd.DataFrame]:
    """em (tokens) and nll (nats per token) of every paragraph, intact and then under each intervention.

    Passes begin at the first layer that changes, and equal interventions are run once.
    """
    every = [ablation([], torch.empty(subject.n_layers)), *interventions]

    @torch.inference_mode()
    def of_rows(rows: Tokens) -> list[pd.DataFrame]:
        calls, found = recorded_calls(subject, rows), {}
        for one in every:
            if one.key in found:
                continue
            with one.applied(subject), last_mlp_predicts(subject):
                states = states_from(subject, calls, one.first, calls[one.first].residual)
            scores = scores_of_states(subject, states.to(rows.device), rows[:, subject.n_prefix :])
            found[one.key] = pd.DataFrame({"em": scores.em.numpy(), "nll": scores.nll.double().numpy()})
        return [found[one.key] for one in every]

    batches = subject.in_batches(of_rows, tokens)
    return [pd.concat(frames, ignore_index=True) for frames in zip(*batches, strict=True)]


def ablate(
    subject: Subject, texts: Mapping[str, Group], plans: Mapping[str, Plan]
) -> dict[str, pd.DataFrame]:
    """Scores of every paragraph under each ablation of each plan, and the differences to the intact model.

    Args:
        texts: groups memorized, non_memorized (with the model's own continuation) and held_out.

    Returns:
        For each plan a row per ablation and paragraph: its labels, group, id, used, em (tokens), nll (nats
        per token), em_lost and nll_gained.
    """
    about, tokens = labels(texts), torch.cat([text.tokens for text in texts.values()])
    whole, *found = ablated_scores(subject, tokens, [one for plan in plans.values() for _, one in plan])
    scores, tables = iter(found), {}
    for name, plan in plans.items():
        frames = []
        for (label, _), after in zip(plan, scores, strict=False):
            lost, gained = whole["em"] - after["em"], after["nll"] - whole["nll"]
            frames.append(about.assign(**label, **after, em_lost=lost, nll_gained=gained))
        tables[name] = pd.concat(frames, ignore_index=True)
    return tables


def single_heads(outputs: Float[Tensor, "layer head d_head"]) -> Plan:
    """Plan of table `head_ablation`: every head by itself."""
    return [
        ({"layer": layer, "head": head}, ablation([(layer, head)], outputs))
        for layer, head in np.ndindex(*outputs.shape[:2])
    ]


def first_heads(
    orders: Iterable[tuple[str, int, Sequence[Head]]],
    outputs: Float[Tensor, "layer head d_head"],
    top: Iterable[int],
) -> Plan:
    """Plan of table `cumulative_ablation`: the first k heads of each order, k in 0 and `top`.

    Labels are method, draw and n_heads (k). A k above the number of heads is left out.
    """
    numbers = sorted({0, *top})
    return [
        ({"method": method, "draw": draw, "n_heads": k}, ablation(heads[:k], outputs))
        for method, draw, heads in orders
        for k in numbers
        if k <= len(heads)
    ]


def orders(
    ranking: pd.DataFrame, n_random: int, random: np.random.Generator
) -> list[tuple[str, int, list[Head]]]:
    """Heads from the first to the last by every method of `head_ranking`, and in random orders.

    A random order is the combined ranking with its heads exchanged within their layers, so a ranking that
    only finds layers cannot beat it. Returns (method, draw, heads); the method of random orders is "random".
    """
    found = []
    for method, rows in ranking.groupby("method", sort=False):
        rows = rows.sort_values(["rank", "layer", "head"])
        found.append((method, 0, [*zip(rows["layer"].tolist(), rows["head"].tolist(), strict=True)]))
    combined = next(heads for method, _, heads in found if method == COMBINED)
    return found + [("random", draw, _exchanged(combined, random)) for draw in range(n_random)]


def _exchanged(order: Sequence[Head], random: np.random.Generator) -> list[Head]:
    """The order with the heads of each layer shuffled among that layer's places."""
    layers = {layer: [head for head in order if head[0] == layer] for layer, _ in order}
    drawn = {layer: iter(random.permutation(heads).tolist()) for layer, heads in sorted(layers.items())}
    return [tuple(next(drawn[layer])) for layer, _ in order]
