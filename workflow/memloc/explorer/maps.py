"""Layer x head maps of every method, for a paragraph and for the sets; MLPs are columns beside them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from memloc.explorer.json_values import base64_array, dense_array
from memloc.figures.parts.methods import method_label, methods_of
from memloc.tables.judged_texts import PAIRED
from memloc.tables.terms.sets import SET_NAMES

Tables = Mapping[str, pd.DataFrame]
Variants = dict[str, dict[str, Any]]  # a map by the label of its variant
ALL = "all"  # group of maps that belong to no set
STRONGEST = "largest of Q, K, V, O"
# The run that an activation is patched into.
INTO = {"memorized_into_perturbed": "into perturbed", "perturbed_into_memorized": "into memorized"}


@dataclass(frozen=True)
class Map:
    """A method's map: its quantity, unit and table.

    `of_set` gives the variants of each group of paragraphs from the whole table, `of_paragraph` those of one
    paragraph from its own rows, without positions in the continuation.
    """

    title: str
    about: str
    unit: str
    table: str
    of_set: Callable[[pd.DataFrame], dict[str, Variants]] | None = None
    of_paragraph: Callable[[pd.DataFrame], Variants] | None = None
    diverging: bool = False
    ascending: bool = False  # small values are the strong ones


def by_unit(rows: pd.DataFrame, value: str) -> dict[str, Any]:
    """Rows of one variant: heads as a matrix of layers x heads, components without heads as columns."""
    has_head = rows["head"].notna() if "component" in rows else pd.Series(True, index=rows.index)
    heads, others = rows[has_head], rows[~has_head]
    n_layers = int(rows["layer"].max()) + 1
    found: dict[str, Any] = {}
    if len(heads):
        shape = (n_layers, int(heads["head"].max()) + 1)
        found["heads"] = base64_array(dense_array(heads, value, ["layer", "head"], shape))
    if len(others):
        columns = others.groupby("component", sort=False, observed=True)
        found["columns"] = {
            name: base64_array(dense_array(own, value, ["layer"], (n_layers,))) for name, own in columns
        }
    return found


def by_component(rows: pd.DataFrame, value: str) -> Variants:
    """One variant per component that has heads; each shows the components without heads too."""
    has_head = rows["head"].notna()
    names = rows.loc[has_head, "component"].unique()
    return {name: by_unit(rows[~has_head | (rows["component"] == name)], value) for name in names}


def _weight_gradients(rows: pd.DataFrame) -> Variants:
    largest = rows[rows["head"].notna()].groupby(["layer", "head"])["max_abs"].max().reset_index()
    both = pd.concat([largest.assign(component=STRONGEST), rows[rows["head"].isna()]])
    return {STRONGEST: by_unit(both, "max_abs"), **by_component(rows, "max_abs")}


def _gradients_of_sets(rows: pd.DataFrame) -> dict[str, Variants]:
    return {name: _weight_gradients(own) for name, own in rows.groupby("group") if name in SET_NAMES}


def _activations(rows: pd.DataFrame) -> Variants:
    """Means over positions, for the memorized and for the perturbed version."""
    keys = ["group", "layer", "component", "head"]
    means = rows.groupby(keys, observed=True, dropna=False)["max_abs"].mean().reset_index()
    return {
        f"{component}, {group}": found
        for group, own in means.groupby("group", observed=True)
        for component, found in by_component(own, "max_abs").items()
    }


def _rare_tokens(rows: pd.DataFrame) -> dict[str, Variants]:
    measures = {"summed attention (paper)": "pearson", "mean per occurrence": "pearson_mean"}
    return {ALL: {label: by_unit(rows, name) for label, name in measures.items()}}


def _patches(rows: pd.DataFrame) -> Variants:
    return {
        f"{component} {INTO[direction]}": by_unit(own, "nll_change")
        for (direction, component), own in rows.groupby(["direction", "component"], sort=False)
    }


def _patching_of_sets(rows: pd.DataFrame) -> dict[str, Variants]:
    keys = ["direction", "component", "layer", "head"]
    means = rows.groupby(keys, sort=False)["nll_change"].mean().reset_index()
    return {"memorized": _patches(means)}


def _ablations(rows: pd.DataFrame) -> Variants:
    measures = {"nll_gained": "NLL gained (nats per token)", "em_lost": "exact match lost (tokens)"}
    return {label: by_unit(rows, name) for name, label in measures.items()}


def _ablation_of_sets(rows: pd.DataFrame) -> dict[str, Variants]:
    keys = ["group", "layer", "head"]
    rows = rows[rows["group"] != PAIRED]
    means = rows.groupby(keys, sort=False)[["nll_gained", "em_lost"]].mean().reset_index()
    return {group: _ablations(rows) for group, rows in means.groupby("group")}


def _ranks(ranking: pd.DataFrame) -> dict[str, Variants]:
    groups = dict(iter(ranking.groupby("method")))
    labels = {method_label(name): by_unit(groups[name], "rank") for name in reversed(methods_of(ranking))}
    return {ALL: labels}


MAPS = {
    "gradients": Map(
        "Weight gradients",
        "Largest absolute gradient of the NLL with respect to one weight.",
        "nats per token, per unit of the weight",
        "parameter_gradients",
        _gradients_of_sets,
    ),
    "contrastive": Map(
        "Contrastive gradients",
        "Largest absolute gradient of the contrastive objective with respect to one weight.",
        "nats per token, per unit of the weight",
        "parameter_gradients",
        lambda rows: {ALL: _weight_gradients(rows[rows["group"] == "contrastive"])},
    ),
    "activation_gradients": Map(
        "Activation gradients",
        "Largest absolute gradient among an activation's units, mean over the prefix.",
        "nats per token, per unit of the activation",
        "activation_gradients",
        of_paragraph=_activations,
    ),
    "rare_tokens": Map(
        "Attention to rare tokens",
        "Correlation of a head's attention with the rank of tokens, rarest first: negative means that the "
        "head attends to rare tokens.",
        "Pearson correlation",
        "rare_token_correlation",
        _rare_tokens,
        diverging=True,
    ),
    "patching": Map(
        "Activation patching",
        "Change of the NLL of the impact token, the first that changes with the strongest replacement, when "
        "one activation at the replaced token is exchanged.",
        "nats",
        "patching",
        _patching_of_sets,
        _patches,
        diverging=True,
    ),
    "attribution_patching": Map(
        "Attribution patching",
        "First-order estimate of activation patching.",
        "nats",
        "attribution_patching",
        _patching_of_sets,
        _patches,
        diverging=True,
    ),
    "head_ablation": Map(
        "Ablation",
        "What the continuation loses when the head gives its mean output over other text instead.",
        "",
        "head_ablation",
        _ablation_of_sets,
        lambda rows: _ablations(rows.drop_duplicates(["layer", "head"])),  # pairs repeat rows
        diverging=True,
    ),
    "ranks": Map(
        "Rank of every head",
        "Place of the head by each method; 1 is first. Equal heads share a place.",
        "rank",
        "head_ranking",
        _ranks,
        ascending=True,
    ),
}


def maps_of_sets(tables: Tables) -> dict[str, dict[str, Variants]]:
    """Variants by map and group of paragraphs."""
    shown = {key: found for key, found in MAPS.items() if found.of_set and found.table in tables}
    return {key: found.of_set(tables[found.table]) for key, found in shown.items()}


def maps_of_paragraph(rows: Tables, n_prefix: int) -> dict[str, Variants]:
    """Variants by map, for one paragraph from its own rows of the tables."""
    maps = {}
    for key, found in MAPS.items():
        if found.of_paragraph and len(own := rows.get(found.table, ())):
            maps[key] = found.of_paragraph(own[own["position"] < n_prefix] if "position" in own else own)
    return maps
