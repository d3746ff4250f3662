"""memloc: localize paragraph memorization in causal language models (Stoehr et al., 2024).

The library behind the workflow. One module per method; functions take and return tensors or frames,
only `model` knows how models are loaded and only `tables` knows how tables are stored.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memloc.tables.finished import Study

__version__ = "0.1.0"


def open_study(folder: Path | str) -> "Study":
    """The study whose results lie in `folder`, such as results/mini: see `memloc.tables.finished`."""
    from memloc.tables import finished  # the workflow's rules start without it

    return finished.open_study(folder)
