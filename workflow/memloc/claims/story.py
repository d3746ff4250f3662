"""A study's story on one screen: what is memorized, what triggers it, where it is, can it be removed?

The report opens with it. Numbers and verdicts are those of the tables; `findings` has them in five lines.
"""

import pandas as pd

from memloc.run.templates import escaped
from memloc.tables.terms.claims import NO_VALUE, counted, measured

# The claims that answer each question, in reading order.
QUESTIONS = {
    "What is memorized?": (
        "complete_or_not",
        "recited_wherever_they_stand",
        "more_repeats_more_memorized",
        "seen_come_out_more_than_unseen",
    ),
    "What triggers it?": (
        "most_tokens_are_replaceable",
        "one_token_costs_most",
        "recitation_shows_in_the_prefix",
    ),
    "Where is it?": (
        "memorized_gradients_lean_to_lower_layers",
        "methods_agree",
        "one_head_leads",
        "lower_layers_hold_more",
    ),
    "Can it be removed?": (
        "top_unlearns_as_all",
        "top_spares_controls",
        "removal_top_spares_more",
        "removal_other_prefixes",
    ),
}


def answers(claims: pd.DataFrame) -> dict[str, list[dict[str, str]]]:
    """A run's answers to each question; text is escaped for reStructuredText.

    `claims` is table `claims`. An answer has a statement, its verdict, what was measured and a link to the
    figure to look at. Claims without a value give none, and a question without answers is left out.
    """
    rows = claims[~claims.verdict.isin(NO_VALUE)].set_index("id")
    found = {
        question: [_answer(rows.loc[id]) for id in ids if id in rows.index]
        for question, ids in QUESTIONS.items()
    }
    return {question: answers for question, answers in found.items() if answers}


def _answer(claim: pd.Series) -> dict[str, str]:
    figure = claim.figures.split()[0]
    return {
        "statement": escaped(claim.statement),
        "verdict": claim.verdict,
        "measured": f"{escaped(measured(claim.value, claim.low, claim.high, claim.scale, claim.quantity))}, "
        f"n = {counted(claim.n, claim.unit)}",
        "figure": link(f"{figure}.png", figure),
    }


def link(file: str, text: str) -> str:
    """A link to a file of the report, or only its text where the report lacks the file.

    It is an expression that Snakemake renders when it makes a report and knows the report's files.
    """
    return f'{{{{ "`{text} <{file}_>`__" if "{file}" in files|map(attribute="target") else "{text}" }}}}'
