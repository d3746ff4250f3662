"""Which attention head the figures point at: the configured one, or the one that the methods agree on."""

import pandas as pd


def highlighted_head(tables: dict[str, pd.DataFrame], settings: dict) -> tuple[int, int]:
    """(layer, head) of `settings["highlight"]`; "auto" is the first of the combined ranking."""
    chosen = settings["highlight"]
    if chosen == "auto":
        ranking = tables["head_ranking"]
        chosen = ranking[ranking["method"] == "combined"].sort_values("rank").iloc[0]
    return int(chosen["layer"]), int(chosen["head"])
