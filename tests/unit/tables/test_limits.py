"""Columns of one name hold the same in every table."""

from collections import defaultdict

from memloc.tables.columns import Lengths
from memloc.tables.schemas import STAGES, schema_of

LENGTHS = Lengths(paragraph=24, prefix=10)
PREFIX, PARAGRAPH = (0, 9), (0, 23)
# Limits by table of what is not the same everywhere.
OTHERWISE = {
    "position": {
        **dict.fromkeys(("attention", "perturbed_paragraphs"), PREFIX),
        **dict.fromkeys(("activation_gradients", "impact_gradients"), PARAGRAPH),
        "residual_patching": PARAGRAPH,
        "perturbation": (-1, 9),  # -1: the unperturbed paragraph
        "token_statistics": (10, 23),
    },
    "rank": {  # of heads or units, and of tokens of a prefix
        **dict.fromkeys(("head_ranking", "head_rank_samples", "grown_truth"), (1, None)),
        **dict.fromkeys(("rare_tokens", "rare_token_groups"), PREFIX),
    },
    "token": {"perturbation": (-1, None)},
    "em": {"perturbed_paragraphs": (0, 13)},  # each has an impact token
    "longest_run": {"paragraphs": (0, 24)},  # of the paragraph; elsewhere of a continuation
    "n_heads": {"cumulative_ablation": (0, None)},  # without any, too
}
UNITS_DIFFER = {
    "count",
    "continuation_count",
    "seconds",
    "margin",
    "recited",
    "n_changed_weights",
    "memory_mb",
    "score_sum",
}


def by_name():
    """Columns of numbers by their names and tables."""
    found = defaultdict(dict)
    for table in STAGES:
        for name, column in schema_of(table).columns(LENGTHS).items():
            if column.dtype.lower().startswith(("int", "float")):
                found[name][table] = column
    return found


def test_columns_of_one_name_have_one_range():
    for name, columns in by_name().items():
        limits = {table: (column.low, column.high) for table, column in columns.items()}
        for table, own in OTHERWISE.get(name, {}).items():
            assert limits.pop(table) == own, (table, name)
        if name not in ("low", "high", "group"):
            assert len(set(limits.values())) <= 1, (name, limits)


def test_columns_of_one_name_have_one_unit():
    for name, columns in by_name().items():
        others = [table for table in columns if (table, name) != ("token_statistics", "nll")]
        units = {columns[table].unit for table in others}
        assert name in UNITS_DIFFER or len(units) <= 1, (name, units)
        if name.startswith(("nll", "published_nll")) and not name.endswith(("norm", "max", "median")):
            assert None not in units, name
