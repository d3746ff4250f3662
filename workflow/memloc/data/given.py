"""What sources of data have in common: the tables that they make, and what a given text leaves open."""

from typing import NamedTuple

import pandas as pd

# Columns of table `paragraphs` that a given text leaves open: its training windows are not known.
UNKNOWN = dict.fromkeys(
    ("whole_count", "cut_count", "continuation_count", "near_count", "longest_run", "file", "line")
)


class Tables(NamedTuple):
    """Paragraphs of a training text, and that text: rows of the tables with these names."""

    paragraphs: pd.DataFrame
    places: pd.DataFrame
    occurrences: pd.DataFrame
    training_stream: pd.DataFrame
