"""What values columns may have follows from what they mean: the same in every table."""

import pandas as pd
import pytest

from memloc.tables.schema import Lengths
from memloc.tables.schemas import STAGES, schema_of

LENGTHS = Lengths(paragraph=24, prefix=10)
SHARE = ([0, 0.5, 1], [-0.01, 1.01])
LIKENESS = ([-1, 0, 1], [-1.01, 1.01])
SIZE = ([0, 1e9], [-0.001])
FROM_0, FROM_1 = ([0, 1, 3], [-1]), ([1, 3], [0])
TOKENS = ([0, 14], [-1, 15])  # of a continuation
# Values that are allowed and refused, by names of columns.
BY_NAME = {
    ("id", "layer", "head", "draw", "token", "plant", "attempt", "seed"): FROM_0,
    ("n_heads", "n_changed_weights", "worst_rank", "true_rank", "prefix_count"): FROM_0,
    ("n_layers", "n_units", "n_place", "n_allowed", "n_paragraphs", "n_permutations"): FROM_1,
    ("n_unique_tokens", "n_movable_weights", "occurrences", "n_clusters"): FROM_1,
    ("n_positive", "n_negative"): FROM_1,
    ("count", "continuation_count", "steps", "n_changed"): FROM_0,
    ("em", "em_before", "n_edits", "longest_run", "n_outside", "em_own", "em_memorized"): TOKENS,
    ("em_control", "em_other", "em_target", "em_own_before", "em_memorized_before"): TOKENS,
    ("nll", "nll_before", "nll_original", "nll_held_out", "nll_memorized", "nll_control"): SIZE,
    ("max_abs", "sum_abs", "entropy", "margin", "margin", "seconds", "learning_rate"): SIZE,
    ("edit_distance", "first_share", "auroc", "average_precision", "recall_1", "recall_2"): SHARE,
    ("recall_5", "recall_by_layer", "recited", "recited_before", "p_value"): SHARE,
    ("recited_perturbed", "recited_shifted", "forgotten", "harm", "share"): SHARE,
    ("cosine", "cosine_other", "cosine_memorized", "kendall", "pearson", "spearman"): LIKENESS,
    ("attention", "attention_mean"): SHARE,
    ("log_p",): ([-1e9, -0.1, 0], [0.1]),
}
LIMITS = {name: limits for names, limits in BY_NAME.items() for name in names}
NOTHING = ([], [])
OTHERWISE = {
    ("claims", "id"): NOTHING,  # a word
    ("detection_folds", "recited"): NOTHING,  # yes or no
    ("prefix_features", "layer"): ([-1, 0], [-2]),  # -1: of no layer
    ("perturbation", "token"): ([-1, 0], [-2]),  # -1: the unperturbed paragraph
    ("perturbed_paragraphs", "em"): ([0, 13], [-1, 14]),  # each has an impact token
    ("ranking_agreement", "n_heads"): FROM_1,
}
PLACES = {  # last position of a token, by table; of an unperturbed paragraph it is -1
    "attention": (0, 9),
    "perturbed_paragraphs": (0, 9),
    "perturbation": (-1, 9),
    "token_statistics": (10, 23),
    "residual_patching": (0, 23),
    "activation_gradients": (0, 23),
    "impact_gradients": (0, 23),
    "forward_similarity": (0, 23),
}


def allows(column, value):
    return all(check(pd.Series([value], dtype=float)).check_passed for check in column.checks)


@pytest.mark.parametrize("table", STAGES)
def test_a_column_holds_what_its_name_says_and_nothing_else(table):
    for name, column in schema_of(table).columns(LENGTHS).items():
        allowed, refused = OTHERWISE.get((table, name), LIMITS.get(name, NOTHING))
        assert [value for value in allowed if not allows(column, value)] == [], name
        assert [value for value in refused if allows(column, value)] == [], name


def test_every_name_is_that_of_a_column():
    columns = {(table, name) for table in STAGES for name in schema_of(table).columns(LENGTHS)}
    assert LIMITS.keys() <= {name for _, name in columns} and OTHERWISE.keys() <= columns
    n_limited = sum(name in LIMITS or (table, name) in OTHERWISE for table, name in columns)
    assert n_limited > len(columns) / 3


@pytest.mark.parametrize("table", PLACES)
def test_positions_are_those_of_the_paragraph_or_of_its_prefix(table):
    column, (first, last) = schema_of(table).columns(LENGTHS)["position"], PLACES[table]
    assert allows(column, first) and allows(column, last)
    assert not allows(column, first - 1) and not allows(column, last + 1)


def test_ranks_begin_where_they_say():
    rare = schema_of("rare_tokens").columns(LENGTHS)["rank"]
    assert [allows(rare, value) for value in (-1, 0, 9, 10)] == [False, True, True, False]
    for table in ("head_ranking", "head_rank_samples", "head_effects"):
        rank = schema_of(table).columns(LENGTHS)["rank"]
        assert [allows(rank, value) for value in (0, 1)] == [False, True], table
    for name in ("low", "high"):
        end = schema_of("head_ranking").columns(LENGTHS)[name]
        assert [allows(end, value) for value in (0, 1)] == [False, True], name


TEXTS = {"claims": ("id", "topic", "work", "section", "statement", "quantity", "margin_reason", "reason")}
TEXTS |= dict.fromkeys(("dropped_paragraphs", "dropped_reference"), ("reason",))


@pytest.mark.parametrize("table", TEXTS)
def test_what_has_to_be_said_is_not_empty(table):
    for name in TEXTS[table]:
        checks = schema_of(table).columns(LENGTHS)[name].checks
        said = [all(check(pd.Series([text])).check_passed for check in checks) for text in ("", "x")]
        assert said == [False, True], name
