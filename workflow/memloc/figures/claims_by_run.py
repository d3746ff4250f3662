"""Verdicts on every claim with each model of a study, or with each seed of sampling (not in the paper)."""

import pandas as pd

from memloc.figures.parts.style import Drawing
from memloc.figures.parts.text_table import draw_table, table_page
from memloc.settings.base import Section
from memloc.tables.terms.claims import FAILS, HOLDS, NO_VALUE, NOT_APPLICABLE, PER_CENT, VERDICTS, on_scale

DIFFER = "runs differ"  # verdict where not all runs to which a claim applies have the same
WIDTHS = (60, 48, 18, 18)


def draw(tables: dict[str, pd.DataFrame], settings: Section, model: str = "unnamed") -> Drawing:
    """A row per claim: which runs have which verdict, the range of values, and the range in which a whole
    interval must lie for the claim to hold."""
    claims, run = tables["claims"], "model" if "models" in tables else "seed"
    data, runs = by_claim(claims, run), _named(claims[run].drop_duplicates())
    header = ("claim", f"verdict: {run}s", "values", "holds if")
    rows = [
        [
            row["statement"],
            "; ".join(
                f"{name}: {'all' if row[name] == runs else row[name]}" for name in VERDICTS if row[name]
            ),
            f"{row['lowest']:.3g} to {row['highest']:.3g}" if pd.notna(row["lowest"]) else "",
            row["wanted"],
        ]
        for row in data.to_dict("records")
    ]
    counts = data["verdict"].value_counts()
    numbers = {
        "run": run,
        "n_runs": claims[run].nunique(),
        "n_applied": int((data["n_runs"] > 0).sum()),
        "counts": {verdict: int(counts.get(verdict, 0)) for verdict in (*VERDICTS, DIFFER)},
        "contradicted": int(((data[HOLDS] != "") & (data[FAILS] != "")).sum()),
    }
    page = table_page(f"Claims by {run}", model, header, rows)
    return Drawing(draw_table(header, rows, WIDTHS), data, numbers, page)


def by_claim(claims: pd.DataFrame, run: str) -> pd.DataFrame:
    """Which runs (column `run`) give each claim which verdict, and the spread of its value.

    Returns:
        A row per claim: id, topic, statement, n_runs (to which it applies), a column per verdict that names
        its runs, lowest, highest and standard deviation of the value (shares in per cent), the range
        `wanted`, and the overall `verdict` of the runs to which the claim applies, or that they differ.
    """
    rows = []
    for _, own in claims.groupby(["topic", "id"], sort=False):
        first, applied = own.iloc[0], own[~own["verdict"].isin(NO_VALUE)]
        values = applied["value"] * (100 if first["scale"] == PER_CENT else 1)
        found = applied["verdict"].unique()
        rows.append(
            {
                **first[["id", "topic", "statement"]],
                "n_runs": len(applied),
                **{verdict: _named(own.loc[own["verdict"] == verdict, run]) for verdict in VERDICTS},
                **values.agg(lowest="min", highest="max", deviation="std"),
                "wanted": _wanted(first),
                "verdict": DIFFER if len(found) > 1 else found[0] if len(found) else NOT_APPLICABLE,
            }
        )
    return pd.DataFrame(rows)


def _named(runs: pd.Series) -> str:
    return ", ".join(runs.astype(str))


def _wanted(claim: pd.Series) -> str:
    """Where the whole interval of a value must lie for the claim to hold."""
    side = -1 if claim["rule"] == "at least" else 1
    return f"> {on_scale(claim['bound'] + side * claim['matters'], claim['scale'])}"
