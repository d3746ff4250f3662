"""The same numbers for natural, grown and planted memories, and for unmemorized paragraphs."""

from memloc.settings.planted_truth import GRANULARITIES
from memloc.tables.columns import PARAGRAPH, Columns, Lengths, category, nats, number

NATURAL, NONE = "natural", "none"


def numbers() -> Columns:
    """The columns that a profile consists of."""
    nll = {"unit": "nats per token"}
    share = "in all rises of the NLL when the attention or MLP of one layer writes its mean output instead"
    steps = "all W_* weights move by 0.2 % of their norm, along the gradient of the NLL (down: against it)"
    return {
        "nll": nats(meaning="Mean NLL of the continuation."),
        "nll_largest": number(0, unit="nats", meaning="Largest NLL of a token of the continuation."),
        "log_p_half": number(
            high=0, unit="nats", meaning="Log-probability of the continuation after half of the prefix."
        ),
        "prefix_mean": number(**nll, meaning="Mean rise of the NLL when one prefix token is replaced."),
        "prefix_largest": number(**nll, meaning="Largest of these rises."),
        "depth_lower": number(0, 1, meaning=f"Share of the lower half of layers {share}."),
        "depth_largest": number(0, 1, meaning=f"Largest share of one layer {share}."),
        "gradient": number(meaning="Natural logarithm of the norm of the NLL's gradient (W_* weights)."),
        "gradient_lower": number(0, 1, meaning="Share of the lower half of layers in its squared norm."),
        "unlearned": number(**nll, meaning=f"Rise of the NLL after three steps up; in a step {steps}."),
        "relearned": number(**nll, meaning="Rise that is left after three more steps, down."),
    }


def memory_profiles(lengths: Lengths) -> Columns:
    return {
        "id": PARAGRAPH,
        "kind": category(
            NATURAL,
            NONE,
            *GRANULARITIES,
            meaning="Natural memory, none (a repeated or unseen paragraph, unmemorized), or a memory's kind "
            "of place.",
        ),
        **numbers(),
    }
