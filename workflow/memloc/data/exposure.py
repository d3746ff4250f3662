"""The number of repeats that analyses use: how often a model saw a continuation in training."""

import pandas as pd


def exposure(paragraphs: pd.DataFrame) -> pd.Series:
    """Occurrences of each continuation, or of each whole paragraph where continuations are not counted."""
    return paragraphs["continuation_count"].fillna(paragraphs["count"]).astype("int64")


def counted(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Table `paragraphs`, with the counts of table `exposure` in place of its own where the study has it."""
    paragraphs = tables["paragraphs"]
    if "exposure" not in tables:
        return paragraphs
    keys = list(paragraphs.columns.intersection(["model", "id"]))
    found = tables["exposure"][[*keys, "count", "continuation_count"]]
    return paragraphs.drop(columns=["count", "continuation_count"]).merge(found, on=keys)
