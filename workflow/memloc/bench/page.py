"""The page of a benchmark: measurements next to goals, and the machine."""

from typing import Any

import pandas as pd

from memloc.bench.sizes import SIZES

# How many times faster than the straightforward implementation a stage is meant to be.
GOALS = {
    "scoring": 2.5,
    "perturbation_em": 4,
    "perturbation_nll": 3,
    "patching": 30,
    "attribution_patching": 100,
    "parameter_gradients": 1,
    "editing_step": 1.5,
    "planting_step": 3,
}


def page(template: str, bench: pd.DataFrame, stamp: dict[str, Any]) -> str:
    """The template, filled; `stamp` is the provenance of the table `bench`."""
    rows = bench.apply(_cells, axis=1).tolist()
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(row.values() for row in rows)]
    return template.format(
        command=f"snakemake --cores {stamp['threads']} bench --configfile config/{stamp['study']}.yaml",
        threads=stamp["threads"],
        versions=", ".join(f"{name} {version}" for name, version in stamp["versions"].items()),
        stages="\n".join(f"| {' | '.join(cells)} |" for cells in lines),
        **stamp["machine"],
        **SIZES[stamp["settings"]["bench"]["size"]]._asdict(),
    )


def _cells(row: pd.Series) -> dict[str, str]:
    return {
        "stage": f"`{row['stage']}`",
        "item": row["item"],
        "items": f"{row['n_items_fast']} / {row['n_items_plain']}",
        "seconds": f"{row['seconds_fast']:.2f} / {row['seconds_plain']:.2f}",
        "ratio": f"{row['ratio']:.1f}",
        "goal": f"{GOALS.get(row['stage'], '')}",
        "memory (MB)": f"{row['memory_fast']:,.0f} / {row['memory_plain']:,.0f}",
    }
