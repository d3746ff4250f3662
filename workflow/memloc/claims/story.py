"""A study's story on one screen: what is memorized, what triggers it, where it is, can it be removed?

The report opens with it, and a run ends with its headline. Numbers and verdicts are those of the tables.
"""

import pandas as pd

from memloc.claims.sample_sizes import sample_sizes
from memloc.run.templates import escaped, measured
from memloc.tables.terms.claims import ERROR, FAILS, HOLDS, NO_VALUE, NOT_APPLICABLE, counted
from memloc.tables.terms.sets import UNSEEN

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
        "highlighted_head_leads_its_layer",
    ),
    "Can it be removed?": (
        "top_unlearns_as_all",
        "top_spares_controls",
        "removal_top_spares_more",
        "removal_other_prefixes",
    ),
}
ANYWHERE = "recited_wherever_they_stand"
TRIGGERS = "most_tokens_are_replaceable"
ONLY_THERE = (
    "This model recites paragraphs from position 0 and not wherever they stand: all that is said here of its "
    "memories is about that place."
)
ESTIMATORS_FAILED = "an error of the program, see logs/claims.log."
TOLD = (ANYWHERE, TRIGGERS)  # claims in the headline, if they apply


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
        "measured": f"{escaped(measured(claim.value, claim.low, claim.high, claim.quantity))}, "
        f"n = {sample_sizes(claim)}",
        "figure": link(f"{figure}.png", figure),
    }


def link(file: str, text: str) -> str:
    """A link to a file of the report, or only its text where the report lacks the file.

    It is an expression that Snakemake renders when it makes a report and knows the report's files.
    """
    return f'{{{{ "`{text} <{file}_>`__" if "{file}" in files|map(attribute="target") else "{text}" }}}}'


def warning(claims: pd.DataFrame) -> str:
    """What a reader must know first: failed estimators, recitation from position 0 only; or empty."""
    failed, fails = (claims.id[claims.verdict == verdict].tolist() for verdict in (ERROR, FAILS))
    said = [f"No verdict on {', '.join(failed)}: {ESTIMATORS_FAILED}"] if failed else []
    return " ".join(said + [ONLY_THERE] * (ANYWHERE in fails))


def headline(sets: pd.DataFrame, claims: pd.DataFrame) -> list[str]:
    """A study in a few plain sentences: what is memorized, where it comes out, what triggers it, its claims.

    `sets` and `claims` are the tables of these names. A sentence without a measurement is left out.
    """
    seen = sets.loc[sets["set"] != UNSEEN, "set"]
    recited = f"{(seen == 'memorized').sum():,} of {counted(len(seen), 'paragraph')}"
    memorized = f"{recited} are recited word for word."
    told = claims[claims.id.isin(TOLD) & ~claims.verdict.isin(NO_VALUE)]
    told = [f"{measured(row.value, row.low, row.high, row.quantity)}." for row in told.itertuples()]
    families = claims[claims.verdict != NOT_APPLICABLE].data.nunique()
    some = {verdict: claims[claims.verdict == verdict].data.nunique() for verdict in (HOLDS, FAILS)}
    return [
        memorized,
        *filter(None, [warning(claims)]),
        *told,
        f"Of the {counted(families, 'set')} of data that claims rest on, {some[HOLDS]} speak for at least "
        f"one claim, and {some[FAILS]} against at least one.",
    ]
