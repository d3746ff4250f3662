"""Verdicts on the claims."""

import pandera.pandas as pa

from memloc.tables.columns import category, column, integer, number
from memloc.tables.schema import Lengths, Schema
from memloc.tables.terms import claims as words


def _claims(lengths: Lengths) -> dict[str, pa.Column]:
    return {
        "id": column("str", pa.Check.str_length(min_value=1), unique=True, meaning="Claim."),
        "topic": column(
            "str", pa.Check.str_length(min_value=1), meaning="Topic whose tables it is judged by."
        ),
        "work": column(
            "str", pa.Check.str_length(min_value=1), meaning="Work that makes the claim (arXiv id)."
        ),
        "section": column("str", pa.Check.str_length(min_value=1), meaning="Section of that work."),
        "statement": column("str", pa.Check.str_length(min_value=1), meaning="The claim in a sentence."),
        "published": number(nullable=True, meaning="Published value, if there is one."),
        "value": number(nullable=True, meaning="Value of this run."),
        "low": number(nullable=True, meaning="Lower end of its interval (95 %)."),
        "high": number(nullable=True, meaning="Upper end of its interval (95 %)."),
        "n": integer(0, meaning="How many units the value comes from."),
        "quantity": column("str", pa.Check.str_length(min_value=1), meaning="What the value is."),
        "unit": category(*words.UNITS, meaning="What is counted or resampled."),
        "rule": category(*words.RULES, meaning="How value and interval decide."),
        "margin": number(0, unit="that of `quantity`", meaning="How far from the rule's target counts."),
        "bound": number(meaning="What the value is compared with."),
        "margin_reason": column("str", pa.Check.str_length(min_value=1), meaning="Why this rule and margin."),
        "verdict": category(*words.VERDICTS, meaning="What this run says of the claim."),
        "reason": column("str", pa.Check.str_length(min_value=1), meaning="How the verdict follows."),
        "figures": column("str", meaning="Figures whose captions show the verdict."),
    }


CLAIMS = Schema("claims", _claims)
