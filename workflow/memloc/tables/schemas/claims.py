"""Verdicts on the claims."""

from memloc.tables.columns import Column, Columns, Lengths, category, integer, number, words
from memloc.tables.terms.claims import RULES, UNITS, VERDICTS


def claims(lengths: Lengths) -> Columns:
    return {
        "id": words(unique=True, meaning="Claim."),
        "topic": words(meaning="Topic whose tables it is judged by."),
        "work": words(meaning="Work that makes the claim (arXiv id)."),
        "section": words(meaning="Section of that work."),
        "statement": words(meaning="The claim in a sentence."),
        "published": number(nullable=True, meaning="Published value, if there is one."),
        "value": number(nullable=True, meaning="Value of this run."),
        "low": number(nullable=True, meaning="Lower end of its interval (95 %)."),
        "high": number(nullable=True, meaning="Upper end of its interval (95 %)."),
        "n": integer(0, meaning="Number of units that the value comes from."),
        "quantity": words(meaning="Quantity that the value measures."),
        "scale": words(meaning="Unit of the value; shares (%) are numbers from 0 to 1 here."),
        "unit": category(*UNITS, meaning="Unit that is counted."),
        "rule": category(*RULES, meaning="Rule by which value and interval decide."),
        "bound": number(meaning="Number that the value is compared with."),
        "matters": number(
            0, unit="as `scale`", meaning="Smallest difference from the bound that matters to a reader."
        ),
        "matters_reason": words(meaning="Reason for bound, rule and smallest difference."),
        "p": number(
            0, 1, nullable=True, meaning="p-value of the verdict, or of the nearest one (exact test)."
        ),
        "needed": number(
            0,
            nullable=True,
            unit="units",
            meaning="Units that would decide with such values; missing if decided, or if none would.",
        ),
        "verdict": category(*VERDICTS, meaning="Verdict of this run."),
        "reason": words(meaning="Reason for the verdict."),
        "figures": Column("str", meaning="Figures that show what it is about."),
    }
