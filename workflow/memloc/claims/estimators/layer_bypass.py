"""Estimators of the topic `layer_bypass`: which blocks do memorized paragraphs need more than others?

Memorized paragraphs are compared with others that occur equally often (pairs). If a layer is searched for,
each half of the pairs chooses it for the other half.
"""

import pandas as pd

from memloc.claims.verdicts import NotApplicable, Tables
from memloc.data.sets import NO_PAIRS, paired_differences, paired_values
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, median, share
from memloc.tables.judged_texts import PAIRED

DESTROYED = 5.0  # nats per token: harm that raises the mean NLL by more leaves no model to compare
SPARED = 0.25  # nats per token: harm to other text of less is nothing


def deeper_attention_spares_others(tables: Tables, settings: Section) -> Evidence:
    """Share of the pairs that lose the memorized paragraph and keep the other, if positions attend to
    themselves alone in the deeper layer that memorized paragraphs need most beyond others."""
    em, of_others = paired_values(_without_blocks(tables, "identity", "em"), tables["sets"])
    if len(em) < 2:
        raise NotApplicable("one pair of equal count cannot both choose a layer and judge it")
    lost = (em - of_others)[["attention"]]
    _, gained = paired_values(_without_blocks(tables, "identity", "nll_gained"), tables["sets"])
    kept = (em < settings.paragraph.continuation) & (gained <= SPARED)
    halves = [kept[_deeper_layer(lost.iloc[1 - first :: 2])].iloc[first::2] for first in (0, 1)]
    return share(int(sum(half.sum() for half in halves)), len(kept))


def lower_layers_hold_more(tables: Tables, settings: Section) -> Evidence:
    """Percentage of the NLL gained without attention that falls to lower layers, memorized minus the other.

    The mean replaces attention, layer by layer; a layer without which a paragraph's NLL falls counts as 0.
    """
    layers = _without_blocks(tables, "mean", "nll_gained")["attention"].T.sort_index()
    if layers.mean(axis=1).max() > DESTROYED:
        raise NotApplicable(f"without attention of one layer the NLL rises by more than {DESTROYED:g} nats")
    n_layers, gained = len(layers), layers.clip(lower=0)
    lower, upper = gained.loc[: n_layers // 2 - 1].sum(), gained.loc[(n_layers + 1) // 2 :].sum()
    return median(paired_differences((100 * lower / (lower + upper)).dropna(), tables["sets"]))


def _deeper_layer(lost: pd.DataFrame) -> tuple[str, int]:
    """The deeper layer whose attention memorized paragraphs need most beyond others, as (block, layer)."""
    deeper = [place for place in lost if place[1] >= (lost.shape[1] + 1) // 2]
    return lost[deeper].mean().idxmin()


def _without_blocks(tables: Tables, way: str, value: str) -> pd.DataFrame:
    """A value of paired paragraphs (rows: id) without each block (columns: block, layer)."""
    rows = tables["layer_bypass"]
    if rows["layer"].nunique() < 2:
        raise NotApplicable("the model has one layer only")
    rows = rows[rows["group"] == PAIRED].query("way == @way")
    if rows.empty:
        raise NotApplicable(NO_PAIRS)
    return rows.pivot(index="id", columns=["block", "layer"], values=value)
