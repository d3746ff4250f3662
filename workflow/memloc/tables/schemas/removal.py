"""Ways to remove recitation, side by side."""

from memloc.settings.model import GROWN_GRANULARITIES
from memloc.settings.removal_ways import GROWN_ARMS, NOTHING, WAY_NAMES
from memloc.tables.columns import NLL, Column, Columns, Lengths, category, integer, n_tokens, number
from memloc.tables.judged_texts import judged_text

STEPS = integer(
    0, nullable=True, meaning="Steps until it is recited again; missing where it was not tried or reached."
)


def _way(*more: str) -> Columns:
    return {
        "way": category(*more, *WAY_NAMES, meaning="Way to remove; nothing: the model as it is."),
        "setting": Column("str", meaning="Its setting: a learning rate, a share, .."),
    }


def _run() -> Columns:
    mode = category("joint", "single", meaning="Paragraphs are removed together, or one by one.")
    return {**_way(NOTHING), "mode": mode}


def removal(lengths: Lengths) -> Columns:
    return {
        **_run(),
        "id": integer(0, meaning="Paragraph that is removed."),
        "em": n_tokens(lengths.continuation, meaning="Exact match that is left."),
        "nll": NLL,
        "edit_distance": number(
            0,
            1,
            unit="share of the continuation",
            meaning="Edits from the generated text to the continuation.",
        ),
        "recited_perturbed": number(
            0, 1, meaning="Share of prefixes with one other token from which it is still recited."
        ),
        "em_4bit": n_tokens(lengths.continuation, meaning="Exact match with the weights rounded to 4 bits."),
        "relearning_steps": STEPS,
        "n_changed_weights": integer(0, unit="weights", meaning="Weights that differ."),
    }


def removal_damage(lengths: Lengths) -> Columns:
    removed = integer(0, nullable=True, meaning="Paragraph that is removed; missing: all together.")
    return {**_run(), "removed": removed, **judged_text(lengths)}


def removal_of_grown(lengths: Lengths) -> Columns:
    n, inside = lengths.continuation, "Share of the squared change of all W_* weights in the memory's place"
    tokens = {"low": -n, "high": n, "unit": "tokens", "nullable": True}
    return {
        **_way(),
        "arm": category(*GROWN_ARMS, meaning="Whether the way is told no place, the memory's or another."),
        "kind": category(*GROWN_GRANULARITIES, meaning="Kind of place that the memory grew in."),
        "memory": integer(0, meaning="Number of the memory among those of its kind."),
        "id": integer(0, meaning="Memory that is removed."),
        "share_inside": number(0, 1, nullable=True, meaning=f"{inside}; missing: nothing changed."),
        "share_place": number(0, 1, meaning="Share of all W_* weights that lie there."),
        "n_changed_weights": integer(0, unit="weights", meaning="Weights that differ."),
        "em": n_tokens(n, meaning="Exact match that is left."),
        "nll": NLL,
        "grown_lost": number(**tokens, meaning="Mean exact match that other grown memories lose."),
        "memorized_lost": number(**tokens, meaning="Mean exact match that memorized paragraphs lose."),
        "nll_gained": number(unit="nats per token", meaning="Mean NLL that held-out text gains."),
        "relearning_steps": STEPS,
    }
