"""Evaluate the claims of a topic on the tables of a study."""

import importlib
import logging
from typing import Any

from memloc.claims.registry import Claim, Topic
from memloc.claims.verdicts import Estimate, NotApplicable, Tables, Verdict, judge
from memloc.settings.base import Section
from memloc.tables.terms.claims import ERROR, NOT_APPLICABLE

OF_CLAIM = {"id", "work", "section", "statement", "published", "quantity", "unit", "rule", "margin"}
OF_ESTIMATE = ("value", "low", "high", "n", "n_other")
logger = logging.getLogger(__name__)


def evaluate(topic: Topic, tables: Tables, settings: Section) -> list[dict[str, Any]]:
    """A topic's rows of table `claims`, each claim judged by itself.

    A claim whose estimator raises gets the verdict `error`, and the log its traceback. Others are judged.

    Args:
        tables: the tables that the topic names, as far as the study makes them.
        settings: `paragraph` and the topic's sections.
    """
    rows = []
    for claim in topic.claims:
        try:
            estimate = _estimate(claim, topic.name, tables, settings)
            verdict = judge(claim, estimate)
        except NotApplicable as why:
            estimate, verdict = Estimate(), Verdict(NOT_APPLICABLE, str(why))
        except Exception as error:
            logger.exception(f"the estimator of claim {claim.id} failed")
            estimate, verdict = Estimate(), Verdict(ERROR, f"its estimator failed: {error!r}")
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
    return rows


def _estimate(claim: Claim, topic: str, tables: Tables, settings: Section) -> Estimate:
    for name, meant in claim.when.items():
        section, key = name.split(".")
        if (found := getattr(getattr(settings, section), key)) != meant:
            raise NotApplicable(f"it is about {name}: {meant}; this study has {found}")
    estimators = importlib.import_module(f"memloc.claims.estimators.{topic}")
    return getattr(estimators, claim.estimator)(tables, settings, **claim.arguments)
