"""Settings: section `explorer`."""

from typing import Literal

from pydantic import Field

from memloc.settings.base import Positive, Section

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
    "activation_bins": "gradients of activations over the sets",
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


class Explorer(Section):
    """The interactive page: paragraphs, tokens, heads (target `explorer`)."""

    tables: list[Literal[*SHOWN]] | None = Field(
        None,
        description="Tables that are on the page beyond those that it needs; by default all that the study "
        "makes. The page says why any other table is not there.",
    )
    n_paragraphs: Positive = Field(
        200,
        description="Most paragraphs on the page; those with the most analyses come first, from all sets.",
    )
