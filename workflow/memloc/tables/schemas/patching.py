"""Patched activations (paper A.3)."""

from memloc.tables import columns
from memloc.tables.columns import HEAD, LAYER, PARAGRAPH, Columns, Lengths, category, integer, number
from memloc.tables.terms.patching import DIRECTIONS

NLL_CHANGE = number(unit="nats", meaning="Change of the NLL of the receiver's own impact token by the patch.")
DIRECTION = category(*DIRECTIONS, meaning="Run that the activations are from, and run that is patched.")


def patching(lengths: Lengths) -> Columns:
    return {
        "id": PARAGRAPH,
        "direction": DIRECTION,
        "layer": LAYER,
        "component": category("q", "k", "v", meaning="Activation of the head that is patched."),
        "head": HEAD,
        "nll_change": NLL_CHANGE,
        "method": category(
            "exact", "attribution", meaning="Patch that was run, or its first-order estimate."
        ),
    }


def residual_patching(lengths: Lengths) -> Columns:
    return {
        "id": PARAGRAPH,
        "direction": DIRECTION,
        "layer": integer(0, unit="from 0", meaning="Layer whose input is patched."),
        "position": columns.position(0, lengths.paragraph, meaning="Position that is patched."),
        "nll_change": NLL_CHANGE,
    }


def attribution_patching(lengths: Lengths) -> Columns:
    return patching(lengths)
