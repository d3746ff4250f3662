"""Shared by the figures on editing: names and colours of the arms, and which runs are shown."""

import pandas as pd

ARM_LABELS = {
    "all": "all weights",
    "top": "top gradients",
    "random": "random weights",
    "head": "one head",
    "layer": "one layer",
}
ARM_COLOURS = {
    "all": "#333333",
    "top": "#d55e00",
    "random": "#009e73",
    "head": "#8e44ad",
    "layer": "#56b4e9",
}
OBJECTIVE_LABELS = {"unlearn": "unlearning", "edit": "editing"}
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def arms_of(frame: pd.DataFrame) -> list[str]:
    """Arms that a frame holds, in the order of their labels."""
    return [arm for arm in ARM_LABELS if arm in set(frame["arm"])]
