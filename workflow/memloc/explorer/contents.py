"""The tables on the page, and why others are not there. Imports nothing heavy: the Snakefile reads it."""

from collections.abc import Collection

NEEDED = ("paragraphs", "vocabulary", "scores", "sets")
SHOWN = (  # where the study makes them
    *("extraction", "near_verbatim", "perturbation", "perturbed_paragraphs", "token_statistics"),
    *("attention", "activation_gradients", "parameter_gradients"),
    *("rare_token_correlation", "patching", "attribution_patching", "residual_patching"),
    *("head_ablation", "head_ranking", "claims", "planted_truth", "removal", "removal_damage"),
)
BY_PARAGRAPH = ("paragraphs", "attention", "activation_gradients")  # long: only rows of shown paragraphs


def tables_on_page(made: Collection[str]) -> list[str]:
    """Tables that the page reads, given the tables that the study makes."""
    return [*NEEDED, *(name for name in SHOWN if name in made)]


def left_out(made: Collection[str]) -> dict[str, str]:
    """Tables that are not on the page, each with the reason."""
    missing = {name: "this study does not make it" for name in SHOWN if name not in made}
    without_view = set(made) - set(SHOWN) - set(NEEDED)
    return missing | dict.fromkeys(sorted(without_view), "shown by its figures only")
