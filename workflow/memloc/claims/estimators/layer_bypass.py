"""Estimators of the topic `layer_bypass`: where memorized paragraphs are, by what they lose without a block.

Only paragraphs that no analysis has sampled count. A layer that is searched for is chosen on every other
paragraph and judged on the rest.
"""

import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.settings.base import Section
from memloc.statistics.studentised import share, studentised

Tables = dict[str, pd.DataFrame]
ONE_LAYER = Estimate(missing="the model has one layer only")
NOBODY = Estimate(missing="every memorized paragraph is in a sample of the analyses")


def deeper_attention_removes(tables: Tables, settings: Section) -> Estimate:
    """Share of memorized paragraphs not recited without the attention of the most specific deeper layer."""
    em = _without_blocks(tables, "identity", "em")["memorized"]
    if missing := _missing(tables, em):
        return missing
    judging = em[_deeper_layer(tables)].iloc[1::2]
    return Estimate.of(share(int((judging < settings.paragraph.continuation).sum()), len(judging)))


def deeper_attention_spares_others(tables: Tables, settings: Section) -> Estimate:
    """Minus the rise in NLL of own continuations of others without the attention of that layer."""
    gained = _without_blocks(tables, "identity", "nll_gained")
    if missing := _missing(tables, gained["memorized"]):
        return missing
    return Estimate.of(studentised(-gained["non_memorized"][_deeper_layer(tables)].iloc[1::2]))


def lower_layers_hold_more(tables: Tables, settings: Section) -> Estimate:
    """NLL gained by mean bypass of one lower block minus one upper block, memorized minus others."""
    gained, half = (
        _without_blocks(tables, "mean", "nll_gained"),
        tables["layer_bypass"]["layer"].nunique() // 2,
    )
    if missing := _missing(tables, gained["memorized"]):
        return missing
    found = []
    for group in ("memorized", "non_memorized"):
        by_layer = gained[group].T.groupby("layer").mean().T
        found.append(by_layer.iloc[:, :half].mean(axis=1) - by_layer.iloc[:, -half:].mean(axis=1))
    return Estimate.of(studentised(*found), len(found[1]))


def _deeper_layer(tables: Tables) -> tuple[str, int]:
    """The block of attention in the deeper half whose bypass costs memorized paragraphs most above others."""
    em, n_layers = _without_blocks(tables, "identity", "em"), tables["layer_bypass"]["layer"].nunique()
    deeper = [place for place in em["memorized"] if place[1] >= (n_layers + 1) // 2]
    memorized, others = (em[name][deeper].iloc[::2].mean() for name in ("memorized", "non_memorized"))
    return (others - memorized).idxmax()


def _without_blocks(tables: Tables, way: str, value: str) -> dict[str, pd.DataFrame]:
    """A value of unseen paragraphs (rows) of each group without each block (columns: block, layer)."""
    rows = tables["layer_bypass"].query("layers == 'alone' and not seen and way == @way")
    by_block = rows.pivot(index=["group", "id"], columns=["block", "layer"], values=value)
    groups = by_block.index.get_level_values("group")
    return {name: by_block[groups == name] for name in ("memorized", "non_memorized")}


def _missing(tables: Tables, memorized: pd.DataFrame) -> Estimate | None:
    if tables["layer_bypass"]["layer"].nunique() < 2:
        return ONE_LAYER
    return NOBODY if memorized.empty else None
