"""The page of a benchmark: what was measured, on which machine, next to the goals."""

import textwrap
from typing import Any

import pandas as pd

WIDTH = 110  # of prose, as on the other pages
# How many times as fast a stage is meant to be as the straightforward implementation.
GOALS = {
    "scoring": 2.5,
    "extraction": 0.9,
    "perturbation_em": 4,
    "perturbation_em_bfloat16": 8,
    "perturbation_nll": 3,
    "patching": 30,
    "attribution_patching": 100,
    "parameter_gradients": 1,
    "editing_step": 1.5,
    "editing_run": 2,
    "planting_step": 3,
}


def page(template: str, bench: pd.DataFrame, growth: pd.DataFrame, stamp: dict[str, Any]) -> str:
    """The template, filled; `stamp` is the provenance of the table `bench`."""
    versions = ", ".join(f"{name} {version}" for name, version in stamp["versions"].items())
    command = f"snakemake --cores {stamp['threads']} bench --configfile config/{stamp['study']}.yaml"
    text = template.format(
        command=command,
        threads=stamp["threads"],
        versions=versions,
        stages=_table(bench.apply(_stage_cells, axis=1).tolist()),
        growth=_table([_growth_cells(row, growth.iloc[0]) for _, row in growth.iterrows()]),
        **stamp["machine"],
        **stamp["settings"]["bench"],
    )
    return "\n\n".join(map(_wrapped, text.split("\n\n")))


def _wrapped(block: str) -> str:
    """Prose at one width; headings, tables and commands as they are."""
    if block.lstrip("\n").startswith(("#", "|", " ")):
        return block
    end = "\n" if block.endswith("\n") else ""
    return textwrap.fill(block, WIDTH, break_long_words=False, break_on_hyphens=False) + end


def _table(rows: list[dict[str, str]]) -> str:
    header = [list(rows[0]), ["---"] * len(rows[0])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [*header, *(row.values() for row in rows)])


def _stage_cells(row: pd.Series) -> dict[str, str]:
    return {
        "stage": f"`{row['stage']}`",
        "item": row["item"],
        "items": f"{row['n_items_fast']} / {row['n_items_plain']}",
        "seconds": f"{row['seconds_fast']:.2f} / {row['seconds_plain']:.2f}",
        "ratio": f"{row['ratio']:.1f}",
        "goal": f"{GOALS.get(row['stage'], '')}",
        "GFLOP": f"{row['gflop']:,.0f}",
        "of peak": f"{row['peak_share']:.0%} of {row['peak_rate']:,.0f} GFLOP/s ({row['dtype']})",
        "memory (MB)": f"{row['memory_fast']:,.0f} / {row['memory_plain']:,.0f}",
        "matched": "" if pd.isna(row["matched"]) else f"{row['matched']:.0%}",
    }


def _growth_cells(row: pd.Series, first: pd.Series) -> dict[str, str]:
    times = row["n_paragraphs"] / first["n_paragraphs"]
    return {
        "paragraphs": f"{row['n_paragraphs']:.0f}",
        "seconds": f"{row['seconds']:.2f}",
        "time per paragraph, of the first row's": f"{row['seconds'] / first['seconds'] / times:.2f}",
        "memory (MB)": f"{row['memory']:,.0f}",
    }
