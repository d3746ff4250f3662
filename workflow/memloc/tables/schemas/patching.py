"""Patched activations (paper A.3)."""

from memloc.tables.columns import HEAD, LAYER, PARAGRAPH, Columns, Lengths, category, number
from memloc.tables.terms.patching import DIRECTIONS


def patching(lengths: Lengths) -> Columns:
    return {
        "id": PARAGRAPH,
        "direction": category(
            *DIRECTIONS, meaning="Run that the activations are from, and run that is patched."
        ),
        "layer": LAYER,
        "component": category("q", "k", "v", meaning="Activation of the head that is patched."),
        "head": HEAD,
        "nll_change": number(
            unit="nats", meaning="Change of the NLL of the receiver's own impact token by the patch."
        ),
        "method": category(
            "exact", "attribution", meaning="Patch that was run, or its first-order estimate."
        ),
    }


def attribution_patching(lengths: Lengths) -> Columns:
    return patching(lengths)
