"""Estimators of the topic `layer_bypass`: which blocks do memorized paragraphs need more than others?

Memorized paragraphs are compared with others that occur equally often (pairs). If a layer is searched for,
every second pair chooses it, and the other pairs judge it.
"""

import pandas as pd

from memloc.claims.specific import DESTROYED, in_proportion
from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.data.sets import NO_PAIRS, paired_differences
from memloc.settings.base import Section
from memloc.statistics.studentised import studentised
from memloc.tables.judged_texts import PAIRED


def deeper_attention_spares_others(tables: Tables, settings: Section) -> Estimate:
    """Minus the rise in NLL of others' own continuations if positions attend to themselves alone in a layer.

    The layer is the deeper one that memorized paragraphs need most beyond others. The claim is in doubt if
    half of the memorized paragraphs or more are still recited.
    """
    _, recited, gained = deeper_bypass(tables, settings, "identity")
    many = 2 * recited >= len(gained)
    doubt = f"{recited} of {len(gained)} memorized paragraphs are still recited" if many else None
    return Estimate.of(studentised(-gained), doubt=doubt)


def lower_layers_hold_more(tables: Tables, settings: Section) -> Estimate:
    """NLL gained without lower attention minus NLL gained without upper attention, memorized minus the other.

    The mean replaces attention. The claim is in doubt if others are harmed in proportion (`claims.specific`).
    """
    layers = _without_blocks(tables, "mean", "nll_gained")["attention"].T.sort_index()
    if layers.mean(axis=1).max() > DESTROYED:
        raise NotApplicable(f"without attention of one layer the NLL rises by more than {DESTROYED:g} nats")
    n_layers = len(layers)
    halves = {"lower": layers.loc[: n_layers // 2 - 1], "upper": layers.loc[(n_layers + 1) // 2 :]}
    gained = pd.DataFrame({name: part.mean() for name, part in halves.items()})
    more = paired_differences(gained["lower"] - gained["upper"], tables["sets"])
    return Estimate.of(studentised(more), doubt=in_proportion(gained, tables["sets"]))


def deeper_bypass(tables: Tables, settings: Section, way: str) -> tuple[int, int, pd.Series]:
    """Let half of the pairs choose a deeper layer, and bypass its attention for the other half (in this way).

    Returns:
        The layer, how many memorized paragraphs of the other half are still recited, and the NLL that the
        other paragraph of each of these pairs gains (nats per token).

    Raises:
        NotApplicable: there are no two pairs.
    """
    lost = paired_differences(_without_blocks(tables, way, "em")[["attention"]], tables["sets"])
    if len(lost) < 2:
        raise NotApplicable("one pair of equal count cannot both choose a layer and judge it")
    place = _deeper_layer(lost)
    em, gained = (
        _of_members(tables, way, value, memorized)[place].iloc[::2]
        for value, memorized in (("em", True), ("nll_gained", False))
    )
    return int(place[1]), int((em == settings.paragraph.continuation).sum()), gained


def _deeper_layer(lost: pd.DataFrame) -> tuple[str, int]:
    """The deeper layer whose attention memorized paragraphs need most beyond others, as (block, layer)."""
    deeper = [place for place in lost if place[1] >= (lost.shape[1] + 1) // 2]
    return lost[deeper].iloc[1::2].mean().idxmin()


def _of_members(tables: Tables, way: str, value: str, memorized: bool) -> pd.DataFrame:
    """A value of the memorized, or the other, paragraph of each pair (rows) without each block (columns)."""
    sets = tables["sets"].dropna(subset="pair").sort_values("pair")
    found = _without_blocks(tables, way, value)
    members = sets["id"][((sets["set"] == "memorized") == memorized) & sets["id"].isin(found.index)]
    return found.loc[members]


def _without_blocks(tables: Tables, way: str, value: str) -> pd.DataFrame:
    """A value of paired paragraphs (rows: id) without each block (columns: block, layer)."""
    rows = tables["layer_bypass"]
    if rows["layer"].nunique() < 2:
        raise NotApplicable("the model has one layer only")
    rows = rows[rows["group"] == PAIRED].query("way == @way")
    if rows.empty:
        raise NotApplicable(NO_PAIRS)
    return rows.pivot(index="id", columns=["block", "layer"], values=value)
