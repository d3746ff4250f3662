"""Which tables are on the page, and why others are not. Imports nothing heavy: the Snakefile reads it."""

from collections.abc import Collection

NEEDED = ("paragraphs", "vocabulary", "scores", "sets")
# What each further table adds to the page.
SHOWN = {
    "extraction": "probability that sampling gives the continuation",
    "near_verbatim": "greedy continuations",
    "perturbation": "effect of replacing each token of the prefix",
    "perturbed_paragraphs": "perturbed continuations and impact tokens",
    "token_statistics": "NLL of each token",
    "attention": "attention of every head to each token",
    "attention_entropy": "how evenly heads spread their attention",
    "activation_gradients": "gradients of activations, by token and head",
    "parameter_gradients": "gradients of weights, and contrastive ones",
    "rare_token_correlation": "attention of heads to rare tokens",
    "patching": "activation patching of heads",
    "attribution_patching": "first-order estimates of patching",
    "residual_patching": "patching of every position and layer",
    "head_ablation": "loss without each head",
    "head_ranking": "ranks of heads by every method",
    "claims": "claims and their verdicts",
    "planted_truth": "what methods find of planted paragraphs",
    "removal": "what is left of removed paragraphs, by every way to remove",
    "removal_damage": "what every way does to other text",
}

BY_PARAGRAPH = ("paragraphs", "attention", "activation_gradients")  # long: only rows of what is on the page


def tables_on_page(made: Collection[str]) -> list[str]:
    """Tables to read, of those that the study makes."""
    return [*NEEDED, *(name for name in SHOWN if name in made)]


def left_out(made: Collection[str]) -> dict[str, str]:
    """Tables that are not on the page, each with the reason."""
    missing = {name: "this study does not make it" for name in SHOWN if name not in made}
    without_view = set(made) - set(SHOWN) - set(NEEDED)
    return missing | dict.fromkeys(sorted(without_view), "shown by its figures only")
