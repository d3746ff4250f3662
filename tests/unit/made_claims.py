"""Claims judged on made-up tables: by the columns that the registry names, with settings by default."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from made_tables import crossed

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import topics
from memloc.claims.verdicts import corrected
from memloc.settings.base import Section
from memloc.settings.sections import sections

MADE = {"paragraph": {"prefix": 50, "length": 100}, "highlight": None}


def settings_of(topic: str, **changes) -> Section:
    wanted = {"paragraph", *topics()[topic].sections}
    every = {name: {} for name in wanted} | MADE | changes
    return sections({name: value for name, value in every.items() if name in wanted})


def judged(topic: str, tables: dict[str, pd.DataFrame], **changes) -> pd.DataFrame:
    """A topic's rows of table `claims` by id, as if it were all; `changes` are sections of settings."""
    named = topics()[topic].tables
    tables = with_tokens(tables) if "tokens" in (named.get("paragraphs") or ()) else tables
    read = {name: rows[list(named[name] or rows)] for name, rows in tables.items()}
    rows = evaluate(topics()[topic], [read], settings_of(topic, **changes))
    return corrected(pd.DataFrame(rows)).set_index("id")


def with_tokens(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables, with tokens of every paragraph that are like no other's, if they have none."""
    ids = sorted({id for rows in tables.values() if "id" in rows for id in rows["id"]})
    made = pd.DataFrame({"id": ids, "tokens": [np.full(9, id) for id in ids]})
    given = tables.get("paragraphs", made)
    return tables | {"paragraphs": given if "tokens" in given else given.merge(made, on="id")}


def verdicts(topic: str, tables: dict[str, pd.DataFrame], **changes) -> dict[str, str]:
    return judged(topic, tables, **changes)["verdict"].to_dict()


def cells(axes: dict[str, Any], n: int, effects: dict[tuple, float], deviation: float) -> pd.DataFrame:
    """n rows (`id`) for every combination of axes; `value` has just its effect, or 0, as mean."""
    keys = enumerate(product(*axes.values()))
    values = [spread(n, effects.get(key, 0.0), deviation, seed) for seed, key in keys]
    return crossed(**axes, id=range(n)).assign(value=np.concatenate(values))


def spread(n: int, mean: float = 0.0, deviation: float = 0.1, seed: int = 0) -> np.ndarray:
    """n values with just this mean and deviation."""
    if not n:
        return np.zeros(0)
    values = np.random.default_rng(seed).normal(size=n)
    centred = values - values.mean()
    return mean + (deviation * centred / centred.std(ddof=1) if n > 1 else 0 * centred)
