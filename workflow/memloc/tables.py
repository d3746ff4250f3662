"""Every table of the workflow: its schema, and the only functions that write and read it.

A table is a Parquet file that is validated on write and on read, written atomically, and carries its
provenance (study, model, settings, code, seed, versions, units) in the file's metadata.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pyarrow
import pyarrow.compute as compute
import pyarrow.parquet as parquet

from memloc.atomic import atomic_path
from memloc.claims import terms
from memloc.errors import InputError
from memloc.row_groups import DamagedError, RowGroupWriter, row_groups

METADATA_KEY = b"memloc"
N_ROWS_SHOWN = 5

COMPONENTS = ("W_Q", "W_K", "W_V", "W_O", "W_in", "W_out", "W_gate")
ACTIVATIONS = ("q", "k", "v", "z", "pre", "post")
SETS = ("memorized", "non_memorized", "partly_11_29", "partly_30_49")
METHODS = ("parameter_gradient", "activation_gradient", "rare_tokens", "patching")
COMBINED = "combined"
SAMPLES = ("part", "rest", "resample")
OBJECTIVES = ("unlearn", "edit")
ARMS = ("all", "top", "random", "head", "layer")
EDIT_TEXTS = ("memorized", "target", "control", "other", "held_out")
TEXTS = ("memorized", "non_memorized", "held_out")
DIRECTIONS = ("memorized_into_perturbed", "perturbed_into_memorized")
UNITS = {
    "nll": "nats per token",
    "nll_paragraph": "nats per token, over all tokens but the first",
    "nll_original": "nats per token",
    "nll_generated": "nats per token",
    "published_nll": "nats per token",
    "nll_change": "nats",
    **{f"nll_{text}": "nats per token" for text in EDIT_TEXTS},
    **{f"nll_{text}_before": "nats per token" for text in EDIT_TEXTS},
    **{f"em_{text}": "tokens" for text in EDIT_TEXTS[:-1]},
    **{f"em_{text}_before": "tokens" for text in EDIT_TEXTS[:-1]},
    "em_lost": "tokens",
    "nll_gained": "nats per token",
    "recited": "share of the perturbed prefixes",
    "recited_before": "share of the perturbed prefixes",
    "margin": "logits",
    "top_gap": "logits",
    "attention": "share of the attention of the first decoded token",
    "entropy": "nats",
    "max_abs": "nats per token, per unit of the weight or activation",
    "sum_abs": "nats per token, per unit of the weight",
    "mean_max_abs": "nats per token, per unit of the activation",
    "score_sum": "nats per token, per unit of the weight",
    "nll_term_norm": "nats per token, per unit of the weight",
    "kl_term_norm": "nats per token, per unit of the weight",
    "position": "token position in the paragraph, from 0",
    "impact_position": "token position in the paragraph, from 0",
    "layer": "from 0",
    "head": "from 0",
    "em": "tokens",
    "count": "occurrences in the corpus",
    "continuation_count": "occurrences of the continuation in the training stream",
    "seconds": "median of the runs",
    "seconds_fast": "median of the runs",
    "seconds_plain": "median of the runs",
    "ratio": "time per item of the straightforward implementation, in times of the workflow's",
    "gflop": "billions of multiplications and additions in matrix products",
    "peak_rate": "GFLOP per second",
    "peak_share": "share of peak_rate",
    "memory": "MiB, peak of the process",
    "memory_fast": "MiB, peak of the process",
    "memory_plain": "MiB, peak of the process",
    "difference": "relative to the largest value; of whole numbers, share that differs",
    "matched": "share of the items",
}


class TableError(InputError):
    """A table breaks its schema or cannot be read."""


@dataclass(frozen=True)
class Lengths:
    """Tokens of a paragraph and of its prefix; schemas depend on them."""

    paragraph: int = 100
    prefix: int = 50

    @property
    def continuation(self) -> int:
        """Tokens of the continuation."""
        return self.paragraph - self.prefix


def integer(low: int, high: int | None = None, dtype: str = "int64", **options: Any) -> pa.Column:
    """Integer column within inclusive limits; tables of millions of rows take a small `dtype`."""
    check = pa.Check.ge(low) if high is None else pa.Check.in_range(low, high)
    return pa.Column(dtype, check, **options)


def number(
    low: float | None = None, high: float | None = None, dtype: str = "float64", **options: Any
) -> pa.Column:
    """Finite number column within inclusive limits; tables of millions of rows take a small `dtype`."""
    checks = [pa.Check(lambda column: column.abs() < float("inf"), name="finite", error="finite")]
    if low is not None:
        checks.append(pa.Check.ge(low))
    if high is not None:
        checks.append(pa.Check.le(high))
    return pa.Column(dtype, checks, **options)


def category(*values: str, dictionary: bool = False, **options: Any) -> pa.Column:
    """Text column that holds one of the values; a dictionary of codes in tables of millions of rows."""
    if dictionary:
        return pa.Column(pd.CategoricalDtype(values), **options)
    return pa.Column("str", pa.Check.isin(values), **options)


def token_list(length: int, **options: Any) -> pa.Column:
    """Column of token lists of one length."""
    check = pa.Check(
        lambda tokens: len(tokens) == length, element_wise=True, error=f"list of {length} tokens"
    )
    return pa.Column(object, check, **options)


HEAD = pa.Column("Int64", pa.Check.ge(0), nullable=True)


def _paragraphs(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "id": integer(0, unique=True),
        "count": integer(0),
        "continuation_count": pa.Column("Int64", pa.Check.ge(1), nullable=True),
        "tokens": token_list(lengths.paragraph),
        "text": pa.Column("str"),
    }


def _vocabulary(lengths: Lengths) -> dict[str, pa.Column]:
    return {"token": integer(0, unique=True), "text": pa.Column("str")}


def _training_stream(lengths: Lengths) -> dict[str, pa.Column]:
    return {"id": integer(0)}


def _training_curve(lengths: Lengths) -> dict[str, pa.Column]:
    return {"step": integer(1, unique=True), "loss": number(0), "learning_rate": number(0)}


def _dropped_paragraphs(lengths: Lengths) -> dict[str, pa.Column]:
    return {"id": integer(0, unique=True), "reason": pa.Column("str", pa.Check.str_length(min_value=1))}


def _scores(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "id": integer(0, unique=True),
        "em": integer(0, lengths.continuation),
        "nll": number(0),
        "margin": number(0),
        "redecoded": pa.Column(bool),
    }


def _sets(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "id": integer(0, unique=True),
        "set": category(*SETS),
        "sampled": pa.Column(bool),
        "sampled_rare_tokens": pa.Column(bool),
        "continuation": token_list(lengths.continuation, nullable=True),
    }


def _perturbation(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "id": integer(0),
        "set": category("memorized", "non_memorized"),
        "position": integer(-1, lengths.prefix - 1),
        "draw": integer(0),
        "token": integer(-1),
        "em": integer(0, lengths.continuation),
        "nll_original": number(0, nullable=True),
        "nll_generated": number(0, nullable=True),
        "redecoded": pa.Column(bool),
    }


def _perturbed_paragraphs(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "id": integer(0, unique=True),
        "position": integer(0, lengths.prefix - 1),
        "token": integer(0),
        "impact_position": integer(lengths.prefix, lengths.paragraph - 1),
        "tokens": token_list(lengths.paragraph),
        "em": integer(0, lengths.continuation - 1),
        "nll": number(0),
    }


def _parameter_gradients(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "group": category(*SETS, "contrastive"),
        "layer": integer(0),
        "component": category(*COMPONENTS),
        "head": HEAD,
        "max_abs": number(0),
        "sum_abs": number(0),
        "n_weights": integer(1),
        "nll_term_norm": number(0, nullable=True),
        "kl_term_norm": number(0, nullable=True),
    }


def _parameter_gradient_samples(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "group": category("memorized", "contrastive"),
        "sample": category(*SAMPLES),
        "number": integer(0),
        "layer": integer(0),
        "component": category(*COMPONENTS),
        "head": HEAD,
        "max_abs": number(0),
    }


def _paragraph_gradients(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "group": category(*SETS),
        "id": integer(0),
        "layer": integer(0),
        "score_sum": number(0),
        "sum_abs": number(0),
    }


def _gradient_similarity(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "layer": integer(0),
        "component": category(*COMPONENTS),
        "head": HEAD,
        "cosine": number(-1.000001, 1.000001, nullable=True),
    }


def _activation_bins(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "group": category(*SETS),
        "layer": integer(0),
        "component": category(*ACTIVATIONS),
        "head": HEAD,
        "mean_max_abs": number(0),
        "n_paragraphs": integer(1),
    }


def _activation_scores(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "id": integer(0, dtype="int32"),
        "layer": integer(0, dtype="int16"),
        "component": category(*ACTIVATIONS, dictionary=True),
        "head": pa.Column("Int16", pa.Check.ge(0), nullable=True),
        "position": integer(0, lengths.paragraph - 1, dtype="int16"),
        "max_abs": number(0, dtype="float32"),
    }


def _activation_gradients(lengths: Lengths) -> dict[str, pa.Column]:
    groups = category("memorized", "perturbed", dictionary=True)
    return {"group": groups, **_activation_scores(lengths)}


def _impact_gradients(lengths: Lengths) -> dict[str, pa.Column]:
    groups = category("memorized", "perturbed", dictionary=True)
    roles = category("perturbed", "impact", dictionary=True)
    return {"group": groups, **_activation_scores(lengths), "role": roles}


def _forward_similarity(lengths: Lengths) -> dict[str, pa.Column]:
    cosine = number(-1.000001, 1.000001, dtype="float32", nullable=True)
    labels = {name: column for name, column in _impact_gradients(lengths).items() if name != "group"}
    del labels["max_abs"]
    return {**labels, "cosine": cosine, "cosine_other": cosine}


def _activation_similarity(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "layer": integer(0),
        "component": category(*ACTIVATIONS),
        "head": HEAD,
        **{
            column: number(-1.000001, 1.000001, nullable=True)
            for column in ("cosine", "cosine_memorized", "cosine_non_memorized")
        },
    }


def _attention(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "id": integer(0, dtype="int32"),
        "layer": integer(0, dtype="int16"),
        "head": integer(0, dtype="int16"),
        "position": integer(0, lengths.prefix - 1, dtype="int16"),
        "attention": number(0, 1.000001, dtype="float32"),
    }


def _attention_entropy(lengths: Lengths) -> dict[str, pa.Column]:
    return {"id": integer(0), "layer": integer(0), "head": integer(0), "entropy": number(0)}


def _expected(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "quantity": pa.Column("str", unique=True),
        "expected": number(nullable=True),
        "found": number(nullable=True),
        "agrees": pa.Column("boolean", nullable=True),
    }


def _memorized_agreement(lengths: Lengths) -> dict[str, pa.Column]:
    whole = pa.Column("Int64", pa.Check.ge(0), nullable=True)
    return {
        "text": pa.Column("str", unique=True),
        "published": pa.Column(bool),
        "memorized": pa.Column(bool),
        "id": whole,
        "published_id": whole,
        "count": whole,
        "published_count": whole,
        "em": pa.Column("Int64", pa.Check.in_range(0, lengths.continuation), nullable=True),
        "nll": number(0, nullable=True),
        "nll_paragraph": number(0, nullable=True),
        "published_nll": number(0, nullable=True),
    }


def _claims(lengths: Lengths) -> dict[str, pa.Column]:
    text = pa.Column("str", pa.Check.str_length(min_value=1))
    return {
        "id": pa.Column("str", pa.Check.str_length(min_value=1), unique=True),
        **dict.fromkeys(("topic", "work", "section", "statement"), text),
        **{name: number(nullable=True) for name in ("published", "value", "low", "high")},
        "n": integer(0),
        "quantity": text,
        "unit": category(*terms.UNITS),
        "rule": category(*terms.RULES),
        "margin": number(0),
        "bound": number(),
        "margin_reason": text,
        "verdict": category(*terms.VERDICTS),
        "reason": text,
        "figures": pa.Column("str"),
    }


def _head_ranking(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "method": category(*METHODS, COMBINED),
        "layer": integer(0),
        "head": integer(0),
        "score": number(),
        "rank": integer(1),
        "low": integer(1),
        "high": integer(1),
        "first_share": number(0, 1),
    }


def _head_rank_samples(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "sample": category(*SAMPLES, dictionary=True),
        "number": integer(0, dtype="int16"),
        "method": category(*METHODS, COMBINED, dictionary=True),
        "layer": integer(0, dtype="int16"),
        "head": integer(0, dtype="int16"),
        "rank": integer(1, dtype="int16"),
    }


def _ranking_agreement(lengths: Lengths) -> dict[str, pa.Column]:
    methods = (*METHODS, COMBINED)
    return {
        "method_a": category(*methods),
        "method_b": category(*methods),
        "kendall": number(-1, 1, nullable=True),
        "low": pa.Column("float64", nullable=True),
        "high": pa.Column("float64", nullable=True),
        "p_value": number(0, 1, nullable=True),
        "n_heads": integer(1),
    }


def _rare_tokens(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "layer": integer(0),
        "head": integer(0),
        "rank": integer(0, lengths.prefix - 1),
        "attention_sum": number(0),
        "attention_mean": number(0, 1),
        "occurrences": integer(1),
        "attention_mean_null_q025": number(0, 1),
        "attention_mean_null_q500": number(0, 1),
        "attention_mean_null_q975": number(0, 1),
    }


def _rare_token_groups(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "group": integer(0),
        "layer": integer(0),
        "head": integer(0),
        "rank": integer(0, lengths.prefix - 1),
        "attention_sum": number(0),
        "attention_expected": number(0),
        "occurrences": integer(1),
    }


def _token_attention(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "layer": integer(0),
        "head": integer(0),
        "place": integer(1),
        "token": integer(0),
        "attention_mean": number(0, 1.000001),
        "attention_expected": number(0, 1.000001),
        "occurrences": integer(1),
        "count": integer(0),
    }


def _rare_token_correlation(lengths: Lengths) -> dict[str, pa.Column]:
    measures = ("pearson", "spearman", "kendall", "pearson_mean", "spearman_mean", "kendall_mean")
    correlations = [*measures, *(f"{name}_null_q{q}" for name in measures for q in ("025", "500", "975"))]
    return {
        "layer": integer(0),
        "head": integer(0),
        **{name: number(-1.000001, 1.000001) for name in correlations},
        "n_paragraphs": integer(1),
        "n_unique_tokens": integer(1),
        "n_permutations": integer(1),
    }


def _patching(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "id": integer(0),
        "direction": category(*DIRECTIONS),
        "layer": integer(0),
        "component": category("q", "k", "v"),
        "head": integer(0),
        "nll_change": number(),
        "method": category("exact", "attribution"),
    }


def _residual_patching(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "id": integer(0),
        "direction": category(*DIRECTIONS),
        "layer": integer(0),
        "position": integer(0, lengths.paragraph - 1),
        "nll_change": number(),
    }


def _token_statistics(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "id": integer(0),
        "set": category("memorized", "non_memorized"),
        "continuation": category("corpus", "model"),
        "position": integer(lengths.prefix, lengths.paragraph - 1),
        "nll": number(0),
        "top_gap": number(0),
        "true_rank": integer(0),
    }


def _edit_scores(lengths: Lengths, suffix: str = "") -> dict[str, pa.Column]:
    """Means over the texts around an edit; that of the target is missing where a paragraph has none."""
    columns = {}
    for name in EDIT_TEXTS:
        missing = name == "target"
        if name != "held_out":
            columns[f"em_{name}{suffix}"] = number(0, lengths.continuation, nullable=missing)
        columns[f"nll_{name}{suffix}"] = number(0, nullable=missing)
    return columns


def _edit_labels() -> dict[str, pa.Column]:
    return {
        "id": integer(0),
        "objective": category(*OBJECTIVES),
        "arm": category(*ARMS),
        "learning_rate": number(0),
        "reference": pa.Column(bool),
    }


def _edits(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        **_edit_labels(),
        **_edit_scores(lengths),
        **_edit_scores(lengths, "_before"),
        "recited": number(0, 1),
        "recited_before": number(0, 1),
        "n_movable_weights": integer(1),
        "n_changed_weights": integer(0),
        "relearning_steps": pa.Column("Int64", pa.Check.ge(0), nullable=True),
        "seed": integer(0),
    }


def _edit_trajectories(lengths: Lengths) -> dict[str, pa.Column]:
    return {**_edit_labels(), "step": integer(0), **_edit_scores(lengths)}


def _judged_text(lengths: Lengths, groups: Sequence[str] = TEXTS) -> dict[str, pa.Column]:
    """A paragraph that judges heads or weights; `seen`: an analysis that chooses them has sampled it."""
    return {
        "group": category(*groups),
        "id": integer(0),
        "seen": pa.Column(bool),
        "em": integer(0, lengths.continuation),
        "nll": number(0),
    }


def _lost_text(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        **_judged_text(lengths),
        "em_lost": integer(-lengths.continuation, lengths.continuation),
        "nll_gained": number(),
    }


def _head_ablation(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "replacement": category("zero", "mean"),
        "layer": integer(0),
        "head": integer(0),
        **_lost_text(lengths),
    }


def _head_effects(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "measure": category("em_lost", "nll_gained"),
        "replacement": category("zero", "mean"),
        "layer": integer(0),
        "head": integer(0),
        **{name: number() for name in (*TEXTS, "specific")},
        **{name: number(nullable=True) for name in ("low", "high")},
        "rank": integer(1),
    }


def _cumulative_ablation(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "method": category(*METHODS, COMBINED, "random"),
        "draw": integer(0),
        "n_heads": integer(0),
        **_lost_text(lengths),
    }


def _weight_noise(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "arm": category("top", "random"),
        "kind": category("noise", "zero"),
        "size": number(0, nullable=True),
        "draw": integer(0),
        "n_weights": integer(1),
        **_judged_text(lengths, (*TEXTS, "choosing")),
    }


def _bench(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "stage": pa.Column("str", unique=True),
        "item": pa.Column("str"),
        "n_items_fast": integer(1),
        "n_items_plain": integer(1),
        "seconds_fast": number(0),
        "seconds_plain": number(0),
        "ratio": number(0),
        "gflop": number(0),
        "dtype": category("float32", "bfloat16"),
        "peak_rate": number(0),
        "peak_share": number(0),
        "memory_fast": number(0),
        "memory_plain": number(0),
        "difference": number(0),
        "matched": number(0, 1, nullable=True),
    }


def _bench_growth(lengths: Lengths) -> dict[str, pa.Column]:
    return {"n_paragraphs": integer(1, unique=True), "seconds": number(0), "memory": number(0)}


SCHEMAS: dict[str, Callable[[Lengths], dict[str, pa.Column]]] = {
    "paragraphs": _paragraphs,
    "vocabulary": _vocabulary,
    "training_stream": _training_stream,
    "training_curve": _training_curve,
    "dropped_paragraphs": _dropped_paragraphs,
    "dropped_reference": _dropped_paragraphs,
    "scores": _scores,
    "sets": _sets,
    "perturbation": _perturbation,
    "perturbed_paragraphs": _perturbed_paragraphs,
    "parameter_gradients": _parameter_gradients,
    "parameter_gradient_samples": _parameter_gradient_samples,
    "paragraph_gradients": _paragraph_gradients,
    "gradient_similarity": _gradient_similarity,
    "activation_gradients": _activation_gradients,
    "impact_gradients": _impact_gradients,
    "forward_similarity": _forward_similarity,
    "activation_bins": _activation_bins,
    "activation_similarity": _activation_similarity,
    "attention": _attention,
    "attention_entropy": _attention_entropy,
    "expected": _expected,
    "memorized_agreement": _memorized_agreement,
    "claims": _claims,
    "head_ranking": _head_ranking,
    "head_rank_samples": _head_rank_samples,
    "ranking_agreement": _ranking_agreement,
    "rare_tokens": _rare_tokens,
    "rare_token_correlation": _rare_token_correlation,
    "rare_token_groups": _rare_token_groups,
    "token_attention": _token_attention,
    "patching": _patching,
    "attribution_patching": _patching,
    "residual_patching": _residual_patching,
    "token_statistics": _token_statistics,
    "edits": _edits,
    "edit_trajectories": _edit_trajectories,
    "head_ablation": _head_ablation,
    "head_effects": _head_effects,
    "cumulative_ablation": _cumulative_ablation,
    "weight_noise": _weight_noise,
    "bench": _bench,
    "bench_growth": _bench_growth,
}


def validate(
    name: str, frame: pd.DataFrame, lengths: Lengths, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """`frame` with the table's columns in order and their types; with `columns`, it has only these.

    Raises:
        TableError: names the table, the column, the broken check and the first bad rows.
    """
    expected = SCHEMAS[name](lengths)
    chosen = {column: expected[column] for column in columns or expected}
    schema = pa.DataFrameSchema(chosen, coerce=True, strict=True, ordered=False)
    given = frame.reset_index(drop=True)
    try:
        frame = schema.validate(given, lazy=True)
    except pa.errors.SchemaErrors as error:
        raise TableError(_explain(name, error.failure_cases)) from None
    changed = pd.concat([_changed_values(given[column], frame[column]) for column in chosen])
    if len(changed):
        raise TableError(_explain(name, changed))
    return frame[list(chosen)]


def _changed_values(given: pd.Series, coerced: pd.Series) -> pd.DataFrame:
    """Whole numbers and truth values that their type cannot hold: pandas would cut 0.5 to 0 in silence."""
    exact = pd.api.types.is_integer_dtype(coerced) or pd.api.types.is_bool_dtype(coerced)
    changed = (given != coerced).fillna(False).astype(bool) if exact else pd.Series(False, index=given.index)
    changed &= coerced.notna()
    values = {"column": given.name, "check": f"type {coerced.dtype}"}
    rows = {"index": given.index[changed], "failure_case": given[changed]}
    return pd.DataFrame({**rows, **values}, dtype=object)


def _explain(name: str, failures: pd.DataFrame) -> str:
    lines = []
    for (column, check), rows in failures.groupby(["column", "check"], dropna=False, sort=False):
        column = rows.failure_case.iloc[0] if str(check).startswith("column_in") else column
        shown = ", ".join(
            f"row {index}: {str(case)[:80]}" if pd.notna(index) else str(case)[:80]
            for index, case in rows[["index", "failure_case"]].head(N_ROWS_SHOWN).itertuples(index=False)
        )
        lines.append(f"table {name}, column {column}: breaks {check} in {len(rows)} places ({shown})")
    return "\n".join(lines)


class TableWriter:
    """A table that is written piece by piece: every piece is validated, in memory is one row group.

    Values that must be unique are held until the end, to compare those of all pieces.
    """

    def __init__(self, name: str, file: Path, provenance: dict[str, Any]) -> None:
        self._name, self._lengths = name, _lengths(provenance)
        self._columns = SCHEMAS[name](self._lengths)
        schema = _arrow_schema(self._columns)
        units = {column: UNITS[column] for column in self._columns if column in UNITS}
        stamp = json.dumps({"table": name, **provenance, "units": units}).encode()
        self.rows = RowGroupWriter(file, schema.with_metadata({**schema.metadata, METADATA_KEY: stamp}))
        self._unique = {column: [] for column, check in self._columns.items() if check.unique}

    def append(self, frame: pd.DataFrame) -> None:
        """Add rows. TableError: they break the schema."""
        frame = validate(self._name, frame, self._lengths)
        for column, values in self._unique.items():
            values.append(frame[column])
        self.rows.append(pyarrow.Table.from_pandas(frame, _arrow_schema(self._columns), preserve_index=False))

    def check(self) -> None:
        """Compare the values that must be unique. TableError: some come more than once."""
        for column, values in self._unique.items():
            values = pd.concat(values, ignore_index=True) if len(values) > 1 else pd.Series(dtype=object)
            repeated = values[values.duplicated(keep=False)]
            if len(repeated):
                rows = {"column": column, "check": "field_uniqueness", "index": repeated.index}
                raise TableError(_explain(self._name, pd.DataFrame({**rows, "failure_case": repeated})))


def _arrow_schema(columns: dict[str, pa.Column]) -> pyarrow.Schema:
    """Types of the file's columns: they follow from the table's schema, whatever rows there are."""
    empty = pd.DataFrame({name: pd.Series(dtype=str(column.dtype)) for name, column in columns.items()})
    for name, column in columns.items():
        if isinstance(column.dtype.type, pd.CategoricalDtype):
            empty[name] = empty[name].astype(column.dtype.type)
    inferred = pyarrow.Schema.from_pandas(empty, preserve_index=False)
    lists = pyarrow.list_(pyarrow.int64())
    fields = [field.with_type(lists) if empty[field.name].dtype == object else field for field in inferred]
    return pyarrow.Table.from_pandas(empty, pyarrow.schema(fields), preserve_index=False).schema


@contextmanager
def writer(name: str, path: str | Path, provenance: dict[str, Any]) -> Iterator[TableWriter]:
    """A `TableWriter` of table `name`; the file appears at the end, and only without an error.

    `provenance["paragraph"]` holds the lengths (`length`, `prefix`) that the schema depends on.

    Raises:
        TableError: rows break the schema; nothing is written.
    """
    with atomic_path(Path(path)) as temporary:
        table = TableWriter(name, temporary, provenance)
        try:
            yield table
            table.check()
        except BaseException:
            table.rows.abandon()
            raise
        table.rows.close()


def write(name: str, frame: pd.DataFrame, path: str | Path, provenance: dict[str, Any]) -> None:
    """Write a whole table: see `writer`."""
    with writer(name, path, provenance) as table:
        table.append(frame)


def read(
    name: str,
    path: str | Path,
    columns: Sequence[str] | None = None,
    ids: Iterable[int] | None = None,
) -> pd.DataFrame:
    """Table `name` from `path`, validated: all of it, or some columns, or the rows with one of the ids.

    With `ids`, memory is that of the rows that have one; `columns` must hold `id`.

    Raises:
        TableError: the file cannot be read, is another table, was changed, or breaks the schema.
    """
    lengths = _stored_lengths(name, path)
    with _naming(path):
        parts = row_groups(path, columns or SCHEMAS[name](lengths))
        if (
            ids is not None
        ):  # chosen before they become Python objects, which would keep their row group alive
            wanted = pyarrow.array(list(ids), pyarrow.int64())
            parts = (rows.filter(compute.is_in(rows["id"], value_set=wanted)) for rows in parts)
        return validate(name, pyarrow.concat_tables(parts).to_pandas(), lengths, columns)


def batches(
    name: str, path: str | Path, columns: Sequence[str] | None = None, rows: range | None = None
) -> Iterator[pd.DataFrame]:
    """The rows of a table, or those of the range `rows`, piece by piece: in memory is one row group.

    At least one piece, which may be empty. That ids differ between pieces was checked at the time of writing.

    Raises:
        TableError: see `read`.
    """
    lengths = _stored_lengths(name, path)
    with _naming(path):
        for group in row_groups(path, columns or SCHEMAS[name](lengths), rows):
            yield validate(name, group.to_pandas(), lengths, columns)


@contextmanager
def _naming(path: str | Path) -> Iterator[None]:
    """Name the file in errors, and say what to do about damage."""
    try:
        yield
    except DamagedError as error:
        raise TableError(f"{path}: {error}; delete it and run again") from None
    except TableError as error:
        raise TableError(f"{path}: {error}") from None


def _stored_lengths(name: str, path: str | Path) -> Lengths:
    stamp = provenance(path)
    if stamp.get("table") != name:
        raise TableError(f"{path}: holds table {stamp.get('table')!r}, not {name!r}")
    return _lengths(stamp)


def provenance(path: str | Path) -> dict[str, Any]:
    """The provenance that a table's file carries.

    Raises:
        TableError: not a Parquet file, or one that this workflow did not write.
    """
    try:
        metadata = parquet.read_schema(path).metadata or {}
    except (pyarrow.ArrowException, OSError) as error:
        raise TableError(f"{path}: not a readable Parquet file ({error}); delete it and run again") from None
    if METADATA_KEY not in metadata:
        raise TableError(
            f"{path}: carries no provenance, so this workflow did not write it; delete it and run again"
        )
    return json.loads(metadata[METADATA_KEY])


def _lengths(stamp: dict[str, Any]) -> Lengths:
    return Lengths(stamp["paragraph"]["length"], stamp["paragraph"]["prefix"])
