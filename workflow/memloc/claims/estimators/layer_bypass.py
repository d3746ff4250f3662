"""Estimators of the topic `layer_bypass`: where memorized paragraphs are, by what they lose without a block.

Only paragraphs that no analysis has sampled count. A layer that is searched for is chosen on every other
paragraph and judged on the rest.
"""

import pandas as pd

from memloc.claims.verdicts import Estimate
from memloc.settings.base import Section
from memloc.statistics import uncertainty

Tables = dict[str, pd.DataFrame]
ONE_LAYER = Estimate(missing="the model has one layer only")
LITTLE_LEFT = "without any one block, non-memorized paragraphs keep too few tokens to compare"
NOBODY = Estimate(missing="every memorized paragraph is in a sample of the analyses")


def deeper_attention_removes(tables: Tables, settings: Section) -> Estimate:
    """Tokens that memorized paragraphs lose without the attention of the most specific deeper layer."""
    return _without_deeper_attention(tables, "memorized", 1)


def deeper_attention_spares_others(tables: Tables, settings: Section) -> Estimate:
    """Minus the tokens that own continuations of others lose without the attention of that layer."""
    return _without_deeper_attention(tables, "non_memorized", -1)


def lower_layers_hold_more(tables: Tables, settings: Section) -> Estimate:
    """Tokens lost by mean bypass of one lower block minus one upper block, memorized minus others.

    In doubt where others lose nearly all without any block.
    """
    lost = _lost(tables, "way == 'mean'")
    half = _n_layers(tables) // 2
    if not half or lost["memorized"].empty:
        return NOBODY if half else ONE_LAYER
    found = []
    for group in ("memorized", "non_memorized"):
        by_layer = lost[group].T.groupby("layer").mean().T
        found.append(by_layer.iloc[:, :half].mean(axis=1) - by_layer.iloc[:, -half:].mean(axis=1))
    n_continuation = settings.paragraph.continuation
    left = n_continuation - float(lost["non_memorized"].to_numpy().mean())
    doubt = f"{LITTLE_LEFT}: {left:.1f} tokens" if left < n_continuation / 2 else None
    return Estimate.of(uncertainty.difference(*found), doubt)


def every_layer_counts(tables: Tables, settings: Section) -> Estimate:
    """Tokens lost by mean bypass of one block: mean of all blocks, and as low end the lowest of theirs."""
    memorized = _lost(tables, "way == 'mean'")["memorized"]
    if memorized.empty:
        return NOBODY
    return Estimate.of(uncertainty.covering([uncertainty.mean(memorized[block]) for block in memorized]))


def _without_deeper_attention(tables: Tables, group: str, sign: int) -> Estimate:
    lost = _lost(tables, "way == 'identity'")
    n_layers = _n_layers(tables)
    if n_layers < 2 or lost["memorized"].empty:
        return ONE_LAYER if n_layers < 2 else NOBODY
    deeper = [place for place in lost["memorized"] if place[1] >= (n_layers + 1) // 2]
    memorized, others = (lost[name][deeper].iloc[::2].mean() for name in ("memorized", "non_memorized"))
    chosen = (memorized - others).idxmax()
    return Estimate.of(uncertainty.paired(sign * lost[group][chosen].iloc[1::2]))


def _lost(tables: Tables, chosen: str) -> dict[str, pd.DataFrame]:
    """Tokens that unseen paragraphs (rows) of each group lose without each block (columns: block, layer)."""
    rows = tables["layer_bypass"].query("layers == 'alone' and not seen").query(chosen)
    by_block = rows.pivot(index=["group", "id"], columns=["block", "layer"], values="em_lost")
    groups = by_block.index.get_level_values("group")
    return {name: by_block[groups == name] for name in ("memorized", "non_memorized")}


def _n_layers(tables: Tables) -> int:
    return tables["layer_bypass"]["layer"].nunique()
