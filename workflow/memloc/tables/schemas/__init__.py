"""Schemas of all tables, one file per stage: what each column holds, within which limits, in which unit.

A script imports the schemas of its tables, so that another column reruns their producer and their readers
alone. A script that reads the tables which its rule names uses `schema_of`, and the rule tracks their files.
"""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memloc.tables.schema import Schema

STAGES = {
    "paragraphs": "paragraphs",
    "vocabulary": "vocabulary",
    "training_stream": "training",
    "training_curve": "training",
    "dropped_paragraphs": "paragraphs",
    "dropped_reference": "paragraphs",
    "scores": "scores",
    "extraction": "scores",
    "sets": "sets",
    "near_verbatim": "sets",
    "perturbation": "perturbation",
    "perturbed_paragraphs": "perturbation",
    "parameter_gradients": "parameter_gradients",
    "parameter_gradient_samples": "parameter_gradients",
    "paragraph_gradients": "parameter_gradients",
    "gradient_similarity": "parameter_gradients",
    "activation_gradients": "activation_gradients",
    "impact_gradients": "activation_gradients",
    "forward_similarity": "activation_gradients",
    "activation_bins": "activation_gradients",
    "activation_similarity": "activation_gradients",
    "attention": "attention",
    "attention_entropy": "attention",
    "expected": "expected",
    "memorized_agreement": "expected",
    "claims": "claims",
    "head_ranking": "head_ranking",
    "head_rank_samples": "head_ranking",
    "ranking_agreement": "head_ranking",
    "rare_tokens": "rare_tokens",
    "rare_token_correlation": "rare_tokens",
    "rare_token_groups": "rare_tokens",
    "token_attention": "attention",
    "patching": "patching",
    "attribution_patching": "patching",
    "residual_patching": "patching",
    "token_statistics": "token_statistics",
    "edits": "edits",
    "edit_trajectories": "edits",
    "head_ablation": "head_ablation",
    "head_effects": "head_ablation",
    "cumulative_ablation": "head_ablation",
    "weight_noise": "weight_noise",
    "plants": "planted_truth",
    "planted_truth": "planted_truth",
    "planted_curves": "planted_truth",
    "planted_costs": "planted_truth",
    "bench": "bench",
    "bench_growth": "bench",
}

MEASURED = ("planted_costs",)
"""Tables of measured seconds, in which no two runs agree: they lie among the benchmarks of a study."""


def schema_of(table: str) -> "Schema":
    """Schema of a table by its name."""
    return getattr(importlib.import_module(f"{__name__}.{STAGES[table]}"), table.upper())


def file_of(table: str) -> Path:
    """File of the table's schema."""
    return Path(__file__).with_name(f"{STAGES[table]}.py")
