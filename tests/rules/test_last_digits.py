"""No claim hangs on last digits, in which processors differ: 1e-6 of every float changes no verdict.

On so small a study most claims are undecided, so their numbers are compared, too: a choice between floats
that are nearly equal would make them jump. Topics that read no such float are judged once.
"""

from itertools import chain

import numpy as np
import pandas as pd
from jobs import STORED, settings

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import topics
from memloc.claims.verdicts import Tables, corrected
from memloc.settings.study import Settings
from read_tables import read

DIGITS, N_SEEDS = 1e-6, 20
# Floats that no arithmetic rounds: settings by which rows are chosen, and a paragraph's tokens that match.
EXACT = {"edits": ["learning_rate", "em_memorized"]}
NUMBERS = ["value", "low", "high", "n"]


def floats_of(tables: Tables) -> Tables:
    """Columns that may differ in their last digits."""
    return {
        name: rows.select_dtypes("float").drop(columns=EXACT.get(name, []), errors="ignore")
        for name, rows in tables.items()
    }


def differing(tables: Tables, seed: int) -> Tables:
    """The tables with each of these floats times 1 + DIGITS or 1 - DIGITS."""
    rng = np.random.default_rng(seed)
    return {
        name: tables[name].assign(**floats * (1 + DIGITS * rng.choice([-1, 1], size=floats.shape)))
        for name, floats in floats_of(tables).items()
    }


def test_no_claim_hangs_on_last_digits():
    study = Settings.model_validate(settings())
    made = {path.stem for path in (STORED / "tables").iterdir()}
    tables = {
        name: {
            table: read(STORED, table, columns) for table, columns in topic.tables.items() if table in made
        }
        for name, topic in topics().items()
    }
    rows = {name: evaluate(topic, [tables[name]], study) for name, topic in topics().items()}
    vary = [name for name in topics() if any(len(rows.columns) for rows in floats_of(tables[name]).values())]
    claims, changed = read(STORED, "claims").set_index("id"), set()
    for seed in range(N_SEEDS):
        for name in vary:
            rows[name] = evaluate(topics()[name], [differing(tables[name], seed)], study)
        found = corrected(pd.DataFrame(chain(*rows.values()))).set_index("id").loc[claims.index]
        numbers, expected = (frame[NUMBERS].astype(float) for frame in (found, claims))
        near = np.isclose(numbers, expected, rtol=100 * DIGITS, atol=100 * DIGITS, equal_nan=True)
        changed |= {*claims.index[~near.all(axis=1) | (found["verdict"] != claims["verdict"])]}
    assert changed == set()
