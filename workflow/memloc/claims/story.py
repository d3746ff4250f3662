"""A study's story in one screen: what is memorized, what triggers it, where it is, whether it can be removed.

The report opens with it, and a run ends with its headline. Numbers and verdicts are those of the tables.
"""

import pandas as pd

from memloc.run.templates import escaped, measured
from memloc.tables.terms.claims import FAILS, HOLDS, NOT_APPLICABLE, counted
from memloc.tables.terms.sets import UNSEEN

# The claims that answer each question, in reading order.
QUESTIONS = {
    "What is memorized?": (
        "complete_or_not",
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
        "highlighted_head_leads_its_layer",
    ),
    "Can it be removed?": (
        "top_unlearns_as_all",
        "top_spares_controls",
        "removal_top_spares_more",
        "removal_other_prefixes",
    ),
}
TRIGGERS = "most_tokens_are_replaceable"


def answers(claims: pd.DataFrame) -> dict[str, list[dict[str, str]]]:
    """What a run says to each question; text is escaped for reStructuredText.

    `claims` is table `claims`. An answer has a statement, its verdict, what was measured and a link to the
    figure to look at. Claims that do not apply give none, and a question without answers is left out.
    """
    rows = claims[claims.verdict != NOT_APPLICABLE].set_index("id")
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
        "measured": f"{measured(claim.value, claim.low, claim.high)} {escaped(claim.quantity)}, "
        f"n = {counted(claim.n, claim.unit)}",
        "figure": link(f"{figure}.png", figure),
    }


def link(file: str, text: str) -> str:
    """A link to a file of the report, or only its text where the report lacks the file.

    It is an expression that Snakemake renders when it makes a report, and knows what is in it.
    """
    return f'{{{{ "`{text} <{file}_>`__" if "{file}" in files|map(attribute="target") else "{text}" }}}}'


def headline(sets: pd.DataFrame, claims: pd.DataFrame) -> list[str]:
    """Three numbers of a study in plain sentences: what is memorized, what triggers it, what claims say.

    `sets` and `claims` are the tables of these names. What triggers it is left out where it was not measured.
    """
    seen = sets.loc[sets["set"] != UNSEEN, "set"]
    memorized = (
        f"{(seen == 'memorized').sum():,} of {counted(len(seen), 'paragraph')} are recited word for word."
    )
    triggers = claims[(claims.id == TRIGGERS) & (claims.verdict != NOT_APPLICABLE)]
    told = [f"{measured(row.value, row.low, row.high)} {row.quantity}." for row in triggers.itertuples()]
    families = claims[claims.verdict != NOT_APPLICABLE].data.nunique()
    some = {verdict: claims[claims.verdict == verdict].data.nunique() for verdict in (HOLDS, FAILS)}
    return [
        memorized,
        *told,
        f"Of {families} families of claims that share data, {some[HOLDS]} have one that holds, and "
        f"{some[FAILS]} one that does not.",
    ]
