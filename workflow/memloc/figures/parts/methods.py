"""Labels of localization methods in figures, and their order."""

import pandas as pd

BASELINES = ("weight_size", "random", "oracle")
# Labels of methods whose name is not plain enough.
METHOD_LABELS = {
    "parameter_gradient": "parameter gradients",
    "activation_gradient": "activation gradients",
    "rare_tokens": "attention to rare tokens",
    "patching": "activation patching",
    "combined": "all together",
    "gradient_summed": "summed gradients",
    "ensemble": "ensemble (mean rank)",
    "weight_size": "|weight|",
    "oracle": "oracle (knows the place)",
}


def method_label(method: str) -> str:
    """A method in words."""
    return METHOD_LABELS.get(method, method.replace("_", " "))


def named_heads(rows: pd.DataFrame) -> str:
    """Heads in words: "heads 0, 1 of layer 3"."""
    heads = rows.groupby("layer")["head"].agg(list).items()
    return " and ".join(
        f"head{'s' * (len(own) > 1)} {', '.join(map(str, own))} of layer {layer}" for layer, own in heads
    )


def methods_of(rows: pd.DataFrame) -> list[str]:
    """The methods of a table, by name; baselines come last."""
    return sorted(rows["method"].unique(), key=BASELINES.__contains__)
