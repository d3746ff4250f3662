"""The page of a benchmark: what was measured, on which machine, and which goals were met."""

import textwrap
from collections.abc import Callable
from typing import Any, NamedTuple

import pandas as pd

NO_ROW = "not measured"
WIDTH = 110  # of prose, as on the other pages


class Goal(NamedTuple):
    """The goal of a stage."""

    stage: str
    text: str
    value: Callable[[pd.Series], float]
    limit: float
    at_most: bool = False

    def met(self, found: float) -> bool:
        """Whether what was found reaches the goal."""
        return found <= self.limit if self.at_most else found >= self.limit


def _ratio(row: pd.Series) -> float:
    return row["ratio"]


def _time_share(row: pd.Series) -> float:
    return 1 / row["ratio"]


def _peak_share(row: pd.Series) -> float:
    return row["peak_share"]


def _memory_ratio(row: pd.Series) -> float:
    return row["memory_plain"] / row["memory_fast"]


GOALS = (
    Goal("scoring", "times as fast as decoding in batches and one pass for the NLL", _ratio, 2.5),
    Goal("scoring", "of the peak of matrix products", _peak_share, 0.7),
    Goal("extraction", "times the time of scores without probabilities", _time_share, 1.1, at_most=True),
    Goal("perturbation_em", "times as fast as decoding every perturbed prefix", _ratio, 4),
    Goal(
        "perturbation_em_bfloat16",
        "times as fast as that, with bfloat16 screening on a processor with AMX",
        _ratio,
        8,
    ),
    Goal("perturbation_nll", "times as fast as that, with the NLL of every row", _ratio, 3),
    Goal("patching", "times as fast as one full pass per site", _ratio, 30),
    Goal("attribution_patching", "times as fast as one full pass per site", _ratio, 100),
    Goal("parameter_gradients", "times less memory than full logits and all hooks", _memory_ratio, 2),
    Goal("parameter_gradients", "times as fast as full logits and all hooks", _ratio, 1),
    Goal("editing_step", "times as fast as dense Adam with masked gradients", _ratio, 1.5),
    Goal(
        "editing_step_bfloat16",
        "times as fast as that, with products in bfloat16 on a processor that has it",
        _ratio,
        7.7,
    ),
    Goal("editing_run", "times as fast as that, with an evaluation per measure", _ratio, 2),
    Goal("planting_step", "times as fast as dense Adam, in the mean over layers", _ratio, 3),
)


def page(template: str, bench: pd.DataFrame, growth: pd.DataFrame, stamp: dict[str, Any]) -> str:
    """The template, filled; `stamp` is the provenance of the table `bench`."""
    versions = ", ".join(f"{name} {version}" for name, version in stamp["versions"].items())
    command = f"snakemake --cores {stamp['threads']} bench --configfile config/{stamp['study']}.yaml"
    text = template.format(
        command=command,
        threads=stamp["threads"],
        versions=versions,
        stages=_table(bench.apply(_stage_cells, axis=1).tolist()),
        goals=_table([_goal_cells(goal, bench) for goal in GOALS]),
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
        "GFLOP": f"{row['gflop']:,.0f}",
        "of peak": f"{row['peak_share']:.0%} of {row['peak_rate']:,.0f} GFLOP/s ({row['dtype']})",
        "memory (MB)": f"{row['memory_fast']:,.0f} / {row['memory_plain']:,.0f}",
        "matched": "" if pd.isna(row["matched"]) else f"{row['matched']:.0%}",
    }


def _goal_cells(goal: Goal, bench: pd.DataFrame) -> dict[str, str]:
    rows = bench[bench["stage"] == goal.stage]
    found = goal.value(rows.iloc[0]) if len(rows) else None
    return {
        "stage": f"`{goal.stage}`",
        "goal": f"at {'most' if goal.at_most else 'least'} {goal.limit:g} {goal.text}",
        "found": NO_ROW if found is None else f"{found:.2f}",
        "met": "" if found is None else ("yes" if goal.met(found) else "no"),
    }


def _growth_cells(row: pd.Series, first: pd.Series) -> dict[str, str]:
    times = row["n_paragraphs"] / first["n_paragraphs"]
    return {
        "paragraphs": f"{row['n_paragraphs']:.0f}",
        "seconds": f"{row['seconds']:.2f}",
        "time per paragraph, of the first row's": f"{row['seconds'] / first['seconds'] / times:.2f}",
        "memory (MB)": f"{row['memory']:,.0f}",
    }
