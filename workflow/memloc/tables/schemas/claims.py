"""Verdicts on the claims."""

from memloc.tables.columns import Column, Columns, Lengths, category, integer, number, words
from memloc.tables.terms.claims import RULES, UNITS, VERDICTS


def claims(lengths: Lengths) -> Columns:
    return {
        "id": words(unique=True, meaning="Claim."),
        "topic": words(meaning="Topic whose tables it is judged by."),
        "data": words(meaning="Data that all claims of its family are judged by."),
        "work": words(meaning="Work that makes the claim (arXiv id)."),
        "section": words(meaning="Section of that work."),
        "statement": words(meaning="The claim in a sentence."),
        "published": number(nullable=True, meaning="Published value, if there is one."),
        "value": number(nullable=True, meaning="Value of this run."),
        "low": number(nullable=True, meaning="Lower end of its interval (95 %)."),
        "high": number(nullable=True, meaning="Upper end of its interval (95 %)."),
        "n": integer(0, meaning="Number of units that the value comes from."),
        "n_other": integer(
            0,
            dtype="Int64",
            nullable=True,
            meaning="Units of the other group, where two groups are compared.",
        ),
        "quantity": words(meaning="Quantity that the value measures."),
        "unit": category(*UNITS, meaning="Unit that is resampled."),
        "rule": category(*RULES, meaning="Rule by which value and interval decide."),
        "margin": number(0, unit="as `quantity`", meaning="Margin of the rule."),
        "bound": number(meaning="Number that the value is compared with."),
        "p": number(
            0,
            1,
            nullable=True,
            meaning="p-value: a binomial test of shares, else the t test behind the interval; missing if "
            "none applies.",
        ),
        "margin_reason": words(meaning="Reason for the rule and the margin."),
        "verdict": category(*VERDICTS, meaning="Verdict of this run."),
        "reason": words(meaning="Reason for the verdict."),
        "figures": Column("str", meaning="Figures that show what it is about."),
    }
