"""Evaluate the claims of a topic on the tables of a study."""

import importlib

import pandas as pd

from memloc.claims.registry import Claim, Topic
from memloc.claims.verdicts import Estimate, NotApplicable, Verdict, judge
from memloc.settings.base import Section
from memloc.tables.terms.claims import NOT_APPLICABLE

OF_CLAIM = {"id", "work", "section", "statement", "published", "quantity", "unit", "rule", "margin"}
OF_ESTIMATE = ("value", "low", "high", "n", "n_other")


def evaluate(topic: Topic, tables: dict[str, pd.DataFrame], settings: Section) -> pd.DataFrame:
    """Table `claims` of a topic, a row per claim; `settings` has `paragraph` and the topic's sections."""
    rows = []
    for claim in topic.claims:
        try:
            estimate = _estimate(claim, topic.name, tables, settings)
            verdict = judge(claim, estimate, topic.family_size)
        except NotApplicable as why:
            estimate, verdict = Estimate(), Verdict(NOT_APPLICABLE, str(why))
        rows.append(
            {
                **claim.model_dump(include=OF_CLAIM),
                **{name: getattr(estimate, name) for name in OF_ESTIMATE},
                "topic": topic.name,
                "data": topic.data,
                "bound": claim.bound,
                "margin_reason": claim.reason,
                **verdict._asdict(),
                "figures": " ".join(claim.figures),
            }
        )
    return pd.DataFrame(rows)


def _estimate(claim: Claim, topic: str, tables: dict[str, pd.DataFrame], settings: Section) -> Estimate:
    for name, meant in claim.when.items():
        section, key = name.split(".")
        if (found := getattr(getattr(settings, section), key)) != meant:
            raise NotApplicable(f"it is about {name}: {meant}; this study has {found}")
    estimators = importlib.import_module(f"memloc.claims.estimators.{topic}")
    return getattr(estimators, claim.estimator)(tables, settings, **claim.arguments)
