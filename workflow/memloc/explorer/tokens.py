"""Numbers for each token of a paragraph, by which the page colours it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from memloc.explorer.json_values import base64_array, dense_array, json_rows
from memloc.perturbation.effects import em_drops
from memloc.tables.terms.perturbation import UNPERTURBED

Rows = Mapping[str, pd.DataFrame]  # rows of one paragraph, by table


@dataclass(frozen=True)
class Shape:
    """Lengths of a study's paragraphs, and layers and heads of its model."""

    n_tokens: int
    n_prefix: int
    n_layers: int
    n_heads: int


@dataclass(frozen=True)
class Colouring:
    """A number of each token, or of each token and head (`of`), with its name, unit and table.

    `values` computes it from a paragraph's rows of the table; without it, the page has the number already.
    """

    title: str
    about: str
    unit: str
    table: str
    values: Callable[[pd.DataFrame, Shape], np.ndarray] | None
    of: str = "token"  # token or head
    diverging: bool = False
    logarithmic: bool = False


def _drop(rows: pd.DataFrame, shape: Shape) -> np.ndarray:
    """Exact match that replacing a token costs, mean over draws."""
    means = em_drops(rows).groupby("position")["em_drop"].mean().reset_index()
    return dense_array(means, "em_drop", ["position"], (shape.n_tokens,))


def _nll_gained(rows: pd.DataFrame, shape: Shape) -> np.ndarray:
    replaced = rows["position"] != UNPERTURBED
    before = rows.loc[~replaced, "nll_original"].iloc[0]
    means = rows[replaced].groupby("position")["nll_original"].mean().sub(before)
    return dense_array(means.reset_index(), "nll_original", ["position"], (shape.n_tokens,))


def _attention(rows: pd.DataFrame, shape: Shape) -> np.ndarray:
    sizes = (shape.n_layers, shape.n_heads, shape.n_tokens)
    return dense_array(rows, "attention", ["layer", "head", "position"], sizes)


def _value_gradients(rows: pd.DataFrame, shape: Shape, group: str) -> np.ndarray:
    found = rows[rows["component"] == "v"]
    sizes = (shape.n_layers, int(found["head"].max()) + 1, shape.n_tokens)
    # A paragraph that no replaced token changes has no perturbed version.
    return dense_array(found[found["group"] == group], "max_abs", ["layer", "head", "position"], sizes)


COLOURINGS = {
    "effect": Colouring(
        "Lost if it is replaced",
        "Exact match that is lost when this token is perturbed.",
        "tokens",
        "perturbation",
        _drop,
    ),
    "nll_gained": Colouring(
        "NLL when it is perturbed",
        "Change of the NLL of the paragraph's own continuation when this token is perturbed.",
        "nats per token",
        "perturbation",
        _nll_gained,
        diverging=True,
    ),
    "attention": Colouring(
        "Attention of the head",
        "Share of its attention that goes to this token when the model writes the first token of the "
        "continuation.",
        "share",
        "attention",
        _attention,
        of="head",
    ),
    "value_gradient": Colouring(
        "Value gradient of the head",
        "Largest absolute gradient among the units of the head's value.",
        "nats per token, per unit of the value",
        "activation_gradients",
        partial(_value_gradients, group="memorized"),
        of="head",
    ),
    "value_gradient_perturbed": Colouring(
        "Value gradient, perturbed version",
        "Largest absolute gradient among the units of the head's value, in the perturbed version.",
        "nats per token, per unit of the value",
        "activation_gradients",
        partial(_value_gradients, group="perturbed"),
        of="head",
    ),
    "nll": Colouring(
        "NLL",
        "Negative log-likelihood of this token of the continuation.",
        "nats",
        "token_statistics",
        lambda rows, shape: dense_array(rows, "nll", ["position"], (shape.n_tokens,)),
    ),
    "rarity": Colouring(
        "Rarity",
        "How often the token occurs in the memorized and non-memorized paragraphs.",
        "occurrences",
        "paragraphs",
        None,
        logarithmic=True,
    ),
}


def values_of_tokens(rows: Rows, shape: Shape) -> dict[str, dict[str, Any]]:
    """Numbers of the tokens of one paragraph, by colouring, if its tables have rows for them."""
    found = {}
    for key, each in COLOURINGS.items():
        if each.values and len(rows.get(each.table, ())):
            values = each.values(rows[each.table], shape)
            if not np.isnan(values).all():
                found[key] = base64_array(values)
    return found


def replacements(perturbation: pd.DataFrame, texts: pd.Series) -> list[dict[str, Any]]:
    """A row per replaced token and draw: position, text of the new token, and surviving exact match."""
    rows = perturbation[perturbation["position"] != UNPERTURBED]
    return json_rows(rows[["position", "em"]].assign(text=texts.loc[rows["token"]].to_numpy()))
