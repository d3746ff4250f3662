"""Counts in the indexes of a training corpus (`memloc.data.suffix_arrays`), in place of those of the data."""

import pandas as pd


def counted(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Table `paragraphs`, with the counts of table `exposure` in place of its own where the study has it."""
    paragraphs = tables["paragraphs"]
    if "exposure" not in tables:
        return paragraphs
    keys = list(paragraphs.columns.intersection(["model", "id"]))
    found = tables["exposure"][[*keys, "count", "continuation_count"]]
    return paragraphs.drop(columns=["count", "continuation_count"]).merge(found, on=keys)
