"""The tables on the page. Imports nothing heavy: the Snakefile reads it."""

from collections.abc import Collection

NEEDED = ("paragraphs", "vocabulary", "scores", "sets")
SHOWN = (  # where the study makes them
    *("extraction", "near_verbatim", "perturbation", "perturbed_paragraphs", "token_statistics"),
    *("attention", "activation_gradients", "parameter_gradients"),
    *("rare_token_correlation", "patching", "attribution_patching"),
    *("head_ablation", "head_ranking", "claims", "grown_truth", "removal", "removal_damage"),
)
BY_PARAGRAPH = ("paragraphs", "attention", "activation_gradients")  # long: only rows of shown paragraphs


def tables_on_page(made: Collection[str]) -> list[str]:
    """Tables that the page reads, given the tables that the study makes."""
    return [*NEEDED, *(name for name in SHOWN if name in made)]
