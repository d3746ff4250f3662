"""Which heads does a memorized continuation need? Ablate them in the forward pass (not in the paper).

Gradients and attention point at heads; only an intervention shows that a head matters. A head is ablated by
replacing its output z, the input of its part of W_O, at every position: by zeros, or by its mean over other
text, which leaves what the head says of any text and takes away what it says of this one. Scores of
the same continuations with and without the head tell its effect, in EM (tokens lost) and NLL (nats gained).
The *specific* effect is that on memorized paragraphs minus that on non-memorized ones with the model's own
continuation, which it recites as exactly: a head that any text needs has none.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import product
from typing import Literal

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel

from memloc.components import components
from memloc.layer_calls import recording_calls, run_from
from memloc.micro_batches import in_micro_batches
from memloc.scoring import judged_scores

Head = tuple[int, int]  # layer, head
Replacement = Literal["zero", "mean"]
GROUPS = ("memorized", "non_memorized", "held_out")
COLUMNS = ["em", "nll"]


def output_projections(model: PreTrainedModel) -> dict[int, nn.Module]:
    """The module of every layer that multiplies the heads' outputs z with W_O."""
    return {
        component.layer: model.get_submodule(component.parameter.removesuffix(".weight"))
        for component in components(model)
        if component.name == "W_O"
    }


def split_heads(z: Float[Tensor, "*batch d_heads"], n_heads: int) -> Float[Tensor, "*batch head d_head"]:
    """View of the input of W_O by head: the heads lie one after the other in every family."""
    return z.unflatten(-1, (n_heads, -1))


@torch.inference_mode()
def mean_outputs(
    model: PreTrainedModel, tokens: Int[Tensor, "paragraph token"], micro_batch: int
) -> Float[Tensor, "layer head d_head"]:
    """Mean output z of every head over all paragraphs and positions."""
    projections, n_heads, sums = output_projections(model), model.config.num_attention_heads, {}

    def keep_sum(layer: int, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        sums[layer] = split_heads(inputs[0], n_heads).double().sum(dim=(0, 1)).cpu()

    def of_rows(rows: Int[Tensor, "paragraph token"]) -> Float[Tensor, "layer head d_head"]:
        model.base_model(rows.to(model.device))
        return torch.stack([sums[layer] for layer in projections])

    with ExitStack() as hooks:
        for layer, module in projections.items():
            hooks.enter_context(module.register_forward_pre_hook(partial(keep_sum, layer)))
        total = sum(in_micro_batches(of_rows, micro_batch, tokens))
    return total.div(tokens.numel()).to(model.dtype)


@contextmanager
def ablated(
    model: PreTrainedModel, heads: Iterable[Head], outputs: Float[Tensor, "layer head d_head"]
) -> Iterator[None]:
    """Within the context, `outputs` takes the place of the output z of the heads at every position."""
    projections, n_heads = output_projections(model), model.config.num_attention_heads
    by_layer: dict[int, list[int]] = {}
    for layer, head in heads:
        by_layer.setdefault(layer, []).append(head)

    def hook_for(layer: int, chosen: list[int]):
        def replace(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            z = inputs[0].clone()
            split_heads(z, n_heads)[..., chosen, :] = outputs[layer, chosen].to(z)
            return (z, *inputs[1:])

        return replace

    with ExitStack() as hooks:
        for layer, chosen in by_layer.items():
            hooks.callback(projections[layer].register_forward_pre_hook(hook_for(layer, chosen)).remove)
        yield


def ablated_scores(
    model: PreTrainedModel,
    tokens: Int[Tensor, "paragraph token"],
    ablations: Sequence[tuple[Sequence[Head], Float[Tensor, "layer head d_head"]]],
    n_prefix: int,
    micro_batch: int,
) -> list[pd.DataFrame]:
    """em (tokens) and nll (nats per token) of every paragraph under each ablation: heads, and their outputs.

    The layers below the lowest ablated head are run once for all ablations.
    """

    @torch.inference_mode()
    def of_rows(rows: Int[Tensor, "paragraph token"]) -> list[pd.DataFrame]:
        rows = rows.to(model.device)
        with recording_calls(model) as calls:
            model.base_model(rows[:, :-1], use_cache=False)
        norm, found = len(calls) - 1, []
        for heads, outputs in ablations:
            with ablated(model, heads, outputs):
                states = run_from(model, calls, min((layer for layer, _ in heads), default=norm))
            states = states[:, n_prefix - 1 :].to(model.device)
            scores = judged_scores(model, states, rows[:, n_prefix:])
            found.append(pd.DataFrame({"em": scores.em.numpy(), "nll": scores.nll.double().numpy()}))
        return found

    batches = in_micro_batches(of_rows, micro_batch, tokens)
    return [pd.concat(frames, ignore_index=True) for frames in zip(*batches, strict=True)]


def ablate_heads(
    model: PreTrainedModel,
    texts: Mapping[str, tuple[Sequence[int], Int[Tensor, "paragraph token"]]],
    outputs: Mapping[Replacement, Float[Tensor, "layer head d_head"]],
    n_prefix: int,
    micro_batch: int,
) -> pd.DataFrame:
    """EM and NLL of every paragraph with each head ablated by itself, and with none.

    Args:
        texts: ids and tokens of each of the groups memorized, non_memorized and held_out.
        outputs: what takes the place of the heads' outputs, for each kind of replacement.

    Returns:
        One row per replacement, head and paragraph: group, id, replacement, layer, head, em (tokens), nll
        (nats per token), em_lost and nll_gained: the differences to the model as it is.
    """
    labels = pd.concat([pd.DataFrame({"group": group, "id": ids}) for group, (ids, _) in texts.items()])
    labels = labels.reset_index(drop=True)
    tokens = torch.cat([rows for _, rows in texts.values()])
    n_layers, n_heads = model.config.num_hidden_layers, model.config.num_attention_heads
    places = list(product(outputs, range(n_layers), range(n_heads)))
    ablations = [([(layer, head)], outputs[replacement]) for replacement, layer, head in places]
    nothing = ([], next(iter(outputs.values())))
    whole, *found = ablated_scores(model, tokens, [nothing, *ablations], n_prefix, micro_batch)
    frames = []
    for (replacement, layer, head), scores in zip(places, found, strict=True):
        change = {"em_lost": whole["em"] - scores["em"], "nll_gained": scores["nll"] - whole["nll"]}
        where = {"replacement": replacement, "layer": layer, "head": head}
        frames.append(labels.assign(**where, **scores, **change))
    return pd.concat(frames, ignore_index=True)


def specific_effects(
    ablation: pd.DataFrame, random: np.random.Generator, n_resamples: int, confidence: float = 0.95
) -> pd.DataFrame:
    """Effect of every head on memorized minus that on non-memorized paragraphs, with a bootstrap interval.

    Memorized and non-memorized paragraphs are resampled independently, the same ones for all heads.

    Returns:
        One row per measure (em_lost in tokens, nll_gained in nats per token), replacement, layer and head:
        memorized, non_memorized and held_out (mean effects), specific, low and high (bounds of its interval),
        rank (1 = largest specific effect).
    """
    tails = ((1 - confidence) / 2, (1 + confidence) / 2)
    frames = []
    for measure in ("em_lost", "nll_gained"):
        effects = {
            group: rows.pivot(index=["replacement", "layer", "head"], columns="id", values=measure)
            for group, rows in ablation.groupby("group")
        }
        resampled = {
            group: _resampled_means(effects[group].to_numpy(dtype=float), random, n_resamples)
            for group in ("memorized", "non_memorized")
        }
        spread = resampled["memorized"] - resampled["non_memorized"]
        low, high = np.quantile(spread, tails, axis=1)
        frame = pd.DataFrame({group: effects[group].mean(axis=1) for group in GROUPS})
        frame["specific"] = frame["memorized"] - frame["non_memorized"]
        frames.append(frame.assign(low=low, high=high, measure=measure).reset_index())
    table = pd.concat(frames, ignore_index=True)
    by_map = table.groupby(["measure", "replacement"])["specific"]
    table["rank"] = by_map.rank(ascending=False, method="first").astype(int)
    return table


def _resampled_means(
    values: Float[np.ndarray, "head paragraph"], random: np.random.Generator, n_resamples: int
) -> Float[np.ndarray, "head resample"]:
    n_paragraphs = values.shape[1]
    counts = random.multinomial(n_paragraphs, np.full(n_paragraphs, 1 / n_paragraphs), size=n_resamples)
    return values @ counts.T / n_paragraphs


def orders(
    ranking: pd.DataFrame, n_random: int, random: np.random.Generator
) -> list[tuple[str, int, list[Head]]]:
    """Heads from the first to the last by every method of `head_ranking`, and in random orders.

    Returns (method, draw, heads); the method of random orders is "random".
    """
    found = []
    for method, rows in ranking.groupby("method", sort=False):
        heads = rows.sort_values("rank")[["layer", "head"]].itertuples(index=False, name=None)
        found.append((method, 0, list(heads)))
    heads = sorted(found[0][2])
    shuffled = [[heads[place] for place in random.permutation(len(heads))] for _ in range(n_random)]
    return found + [("random", draw, order) for draw, order in enumerate(shuffled)]


def ablate_cumulatively(
    model: PreTrainedModel,
    texts: Mapping[str, Int[Tensor, "paragraph token"]],
    orders: Iterable[tuple[str, int, Sequence[Head]]],
    outputs: Float[Tensor, "layer head d_head"],
    top: Iterable[int],
    n_prefix: int,
    micro_batch: int,
) -> pd.DataFrame:
    """Mean EM and NLL of every group of texts with the first k heads of each order ablated together.

    Returns:
        One row per order and k in 0 and `top`, as far as there are heads: method, draw, n_heads (k), and for
        each group em_<group> (tokens) and nll_<group> (nats per token).
    """
    tokens, groups = torch.cat([*texts.values()]), np.repeat([*texts], [len(rows) for rows in texts.values()])
    places = [
        (method, draw, heads[:k])
        for method, draw, heads in orders
        for k in sorted({0, *top})
        if k <= len(heads)
    ]
    ablations = [(heads, outputs) for _, _, heads in places]
    found, rows = ablated_scores(model, tokens, ablations, n_prefix, micro_batch), []
    for (method, draw, heads), scores in zip(places, found, strict=True):
        means = scores.groupby(groups).mean()
        by_group = {f"{column}_{group}": means.loc[group, column] for column in COLUMNS for group in texts}
        rows.append({"method": method, "draw": draw, "n_heads": len(heads), **by_group})
    return pd.DataFrame(rows)
