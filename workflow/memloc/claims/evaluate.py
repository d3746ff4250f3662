"""Evaluate the claims of a topic on the tables of a study."""

import importlib

import pandas as pd

from memloc.claims.registry import Claim, Topic
from memloc.claims.verdicts import Estimate, judge
from memloc.settings.base import Section
from memloc.settings.paragraph import Paragraph

STUDIES = {"gpt-neo-125m on the pile": {"model": "EleutherAI/gpt-neo-125m", "data": "release"}}


def evaluate(
    topic: Topic, tables: dict[str, pd.DataFrame], settings: Section, about: dict[str, str]
) -> pd.DataFrame:
    """Table `claims` of a topic: a row per claim.

    `settings` has the section `paragraph` and those of the topic; `about` names the study's `model` and the
    source of its `data`, for claims on the numbers of one study.
    """
    n_continuation, rows = settings.paragraph.continuation, []
    for claim in topic.claims:
        estimate = _estimate(claim, topic.name, tables, settings, about)
        rows.append(_row(claim, topic.name, estimate, n_continuation))
    return pd.DataFrame(rows)


def _estimate(claim: Claim, topic: str, tables: dict, settings: Section, about: dict[str, str]) -> Estimate:
    wanted = STUDIES.get(claim.only_for, {})
    other_lengths = settings.paragraph != Paragraph()  # the defaults are the paper's
    if any(about[key] != value for key, value in wanted.items()) or (wanted and other_lengths):
        return Estimate(
            missing="a number of GPT-Neo 125M on the published Pile subset; this run differs in model or text"
        )
    estimators = importlib.import_module(f"memloc.claims.estimators.{topic}")
    return getattr(estimators, claim.estimator)(tables, settings, **claim.arguments)


def _row(claim: Claim, topic: str, estimate: Estimate, n_continuation: int) -> dict:
    verdict, reason = judge(claim, estimate, n_continuation)
    return {
        "id": claim.id,
        "topic": topic,
        "work": claim.work,
        "section": claim.section,
        "statement": claim.statement,
        "published": claim.published,
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "n": estimate.n,
        "quantity": claim.quantity,
        "unit": claim.unit,
        "rule": claim.rule,
        "margin": claim.scaled_margin(n_continuation),
        "bound": claim.bound(n_continuation),
        "margin_reason": claim.reason,
        "verdict": verdict,
        "reason": reason,
        "figures": " ".join(claim.figures),
    }
