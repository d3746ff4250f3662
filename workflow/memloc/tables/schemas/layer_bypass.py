"""Losses of paragraphs when attention or MLP blocks of whole layers are bypassed."""

from memloc.tables.columns import LAYER, Columns, Lengths, category
from memloc.tables.judged_texts import lost_text


def layer_bypass(lengths: Lengths) -> Columns:
    block = category(
        "attention", "mlp", meaning="Block that is bypassed: it writes its mean over other text."
    )
    return {"block": block, "layer": LAYER, **lost_text(lengths)}
