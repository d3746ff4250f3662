"""Verdicts on the claims."""

from memloc.tables.columns import Column, Columns, Lengths, category, integer, number, words
from memloc.tables.terms.claims import RULES, UNITS, VERDICTS

COMPARED = "Units of the group that they are compared with."
CHANCE = "p-value of a t test with this interval; missing where none decides."


def claims(lengths: Lengths) -> Columns:
    return {
        "id": words(unique=True, meaning="Claim."),
        "topic": words(meaning="Topic whose tables it is judged by."),
        "data": words(meaning="Data of its family of claims."),
        "work": words(meaning="Work that makes the claim (arXiv id)."),
        "section": words(meaning="Section of that work."),
        "statement": words(meaning="The claim in a sentence."),
        "published": number(nullable=True, meaning="Published value, if there is one."),
        "value": number(nullable=True, meaning="Value of this run."),
        "low": number(nullable=True, meaning="Lower end of its interval (95 %)."),
        "high": number(nullable=True, meaning="Upper end of its interval (95 %)."),
        "n": integer(0, meaning="How many units the value comes from."),
        "n_other": integer(0, dtype="Int64", nullable=True, meaning=COMPARED),
        "quantity": words(meaning="What the value is."),
        "unit": category(*UNITS, meaning="What is resampled."),
        "rule": category(*RULES, meaning="How value and interval decide."),
        "margin": number(0, unit="that of `quantity`", meaning="How far from the rule's target counts."),
        "bound": number(meaning="What the value is compared with."),
        "p": number(0, 1, nullable=True, meaning=CHANCE),
        "margin_reason": words(meaning="Why this rule and margin."),
        "verdict": category(*VERDICTS, meaning="What this run says of the claim."),
        "reason": words(meaning="How the verdict follows."),
        "figures": Column("str", meaning="Figures whose captions show the verdict."),
    }
