"""Verdicts on the claims."""

from memloc.tables.columns import Column, Columns, Lengths, category, integer, number, words
from memloc.tables.terms.claims import RULES, UNITS, VERDICTS

COMPARED = "How many units the other group has, where two are compared."
CHANCE = "p-value of a t test with this interval; missing where none applies."


def claims(lengths: Lengths) -> Columns:
    return {
        "id": words(unique=True, meaning="Claim."),
        "topic": words(meaning="Topic whose tables it is judged by."),
        "data": words(meaning="Data that the claims of its family share."),
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
        "margin": number(0, unit="as `quantity`", meaning="Margin of the rule."),
        "bound": number(meaning="What the value is compared with."),
        "p": number(0, 1, nullable=True, meaning=CHANCE),
        "margin_reason": words(meaning="Why this rule and margin."),
        "verdict": category(*VERDICTS, meaning="Verdict of this run."),
        "reason": words(meaning="Why this verdict."),
        "figures": Column("str", meaning="Figures whose captions show the verdict."),
    }
