"""The Unlearning Depth Score, from the effect of patched hidden states on the NLL (`removal.depth`)."""

import pandas as pd

from memloc.settings.removal_ways import RETRAINED

LEAST_RISE = 0.05  # nats per token: a layer whose states raise the NLL by less held nothing
MOST_CONTROL = 0.1  # share of the rise that paragraphs may show that both models have seen


def depths(rows: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """Depth of every way for every removed paragraph (way, id, depth), and the control.

    Over the layers of a paragraph in which the retrained model's states raise its NLL by more than
    `LEAST_RISE`, in parts as large as that rise (the Unlearning Depth Score). The control is the largest mean
    rise of kept paragraphs among these layers, as a share of that of the removed ones. Above `MOST_CONTROL`
    the score does not apply.
    """
    removed = rows[rows["group"] == "removed"].pivot(index=["way", "id"], columns="layer", values="rise")
    kept = rows[(rows["group"] == "kept") & (rows["way"] == RETRAINED)].groupby("layer")["rise"].mean()
    gold = removed.loc[RETRAINED]
    means = gold.mean()
    held = means > LEAST_RISE
    control = float((kept[held] / means[held]).max()) if held.any() else float("nan")
    by_row = gold.reindex(removed.index.get_level_values("id")).set_axis(removed.index)
    by_row = by_row.where(by_row > LEAST_RISE)
    caused = removed.clip(lower=0).where(removed < by_row, by_row)
    return (caused.sum(axis=1) / by_row.sum(axis=1)).rename("depth").dropna().reset_index(), control
