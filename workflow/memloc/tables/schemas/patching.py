"""Patched activations (paper A.3)."""

from memloc.tables.columns import HEAD, LAYER, PARAGRAPH, Columns, category, integer, number
from memloc.tables.schema import Lengths
from memloc.tables.terms.patching import DIRECTIONS


def patching(lengths: Lengths) -> Columns:
    return {
        "id": PARAGRAPH,
        "direction": category(*DIRECTIONS, meaning="Whose activations are patched into whose run."),
        "layer": LAYER,
        "component": category("q", "k", "v", meaning="What is patched of the head."),
        "head": HEAD,
        "nll_change": number(
            unit="nats", meaning="Change of the NLL of the clean paragraph's impact token by the patch."
        ),
        "method": category(
            "exact", "attribution", meaning="Patch that was run, or its first-order estimate."
        ),
    }


def residual_patching(lengths: Lengths) -> Columns:
    return {
        "id": PARAGRAPH,
        "direction": category(*DIRECTIONS, meaning="Whose activations are patched into whose run."),
        "layer": integer(0, unit="from 0", meaning="Layer whose input is patched."),
        "position": integer(
            0,
            lengths.paragraph - 1,
            unit="token position in the paragraph, from 0",
            meaning="Position that is patched.",
        ),
        "nll_change": number(
            unit="nats", meaning="Change of the NLL of the clean paragraph's impact token by the patch."
        ),
    }


def attribution_patching(lengths: Lengths) -> Columns:
    return patching(lengths)
