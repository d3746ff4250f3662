"""Losses of paragraphs when attention or MLP blocks of whole layers are bypassed (2501.05078)."""

from memloc.settings.interventions import BYPASSES
from memloc.tables.columns import LAYER, Columns, Lengths, category
from memloc.tables.judged_texts import lost_text


def layer_bypass(lengths: Lengths) -> Columns:
    return {
        "block": category(*BYPASSES, meaning="Block that is bypassed."),
        "way": category(
            *BYPASSES["attention"],
            meaning="Way to bypass it: each position attends to itself (identity), or the block writes its "
            "mean over other text (mean).",
        ),
        "layer": LAYER,
        **lost_text(lengths),
    }
