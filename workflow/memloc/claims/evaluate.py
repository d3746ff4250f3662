"""Evaluate the claims of a topic on the tables of a study, or of the trainings of a study together."""

import importlib
import logging
from collections.abc import Sequence
from typing import Any

import numpy as np

from memloc.claims.registry import Claim, Topic
from memloc.claims.verdicts import NotApplicable, Tables, Verdict, judge
from memloc.settings.base import Section
from memloc.statistics.exact import CONFIDENCE, Evidence, mean_rank, median, share
from memloc.tables.terms.claims import ERROR, NOT_APPLICABLE

OF_CLAIM = {"id", "work", "section", "statement", "published", "quantity", "scale", "unit", "rule", "bound"}
OF_CLAIM |= {"matters"}
ONE_TRAINING = "one training is one case: a study of several judges it (as in config/seeds.yaml)"
logger = logging.getLogger(__name__)


def evaluate(topic: Topic, trainings: Sequence[Tables], settings: Section) -> list[dict[str, Any]]:
    """A topic's rows of table `claims`, each claim judged by itself.

    Of several trainings, claims are judged that are about all of them together, and no others.

    A claim whose estimator raises gets the verdict `error`, and the log its traceback. Others are judged.

    Args:
        trainings: the tables that the topic names, as far as a study makes them; one study, or several.
        settings: `paragraph` and the topic's sections.
    """
    claims = [claim for claim in topic.claims if claim.over or len(trainings) == 1]
    return [_judged(topic, claim, trainings, settings) for claim in claims]


def _judged(topic: Topic, claim: Claim, trainings: Sequence[Tables], settings: Section) -> dict[str, Any]:
    found = share(0, 0)
    try:
        found = _estimate(claim, topic.name, trainings, settings)
        verdict = judge(claim, found, len(topic.claims))
    except NotApplicable as why:
        verdict = Verdict(NOT_APPLICABLE, str(why))
    except Exception as error:
        logger.exception(f"the estimator of claim {claim.id} failed")
        verdict = Verdict(ERROR, f"its estimator failed: {error!r}")
    low, high = found.interval(CONFIDENCE) if found.n else (np.nan, np.nan)
    numbers = {"value": found.value, "low": low, "high": high}
    return {
        **claim.model_dump(include=OF_CLAIM),
        **{name: float(number) if np.isfinite(number) else None for name, number in numbers.items()},
        "n": found.n,
        "topic": topic.name,
        "matters_reason": claim.reason,
        **verdict._asdict(),
        "figures": " ".join(claim.figures),
    }


def _estimate(claim: Claim, topic: str, trainings: Sequence[Tables], settings: Section) -> Evidence:
    for name, meant in claim.when.items():
        section, key = name.split(".")
        if (found := getattr(getattr(settings, section), key)) != meant:
            raise NotApplicable(f"it is about {name}: {meant}; this study has {found}")
    if claim.over and len(trainings) == 1:
        raise NotApplicable(ONE_TRAINING)
    estimator = getattr(importlib.import_module(f"memloc.claims.estimators.{topic}"), claim.estimator)
    found = [estimator(tables, settings, **claim.arguments) for tables in trainings]
    if not claim.over:
        return found[0]
    if claim.unit != "training":
        return median(np.concatenate(found))
    if len({place.rivals for place in found}) > 1:
        raise NotApplicable("the models have unequally many heads")
    return mean_rank([place.behind for place in found], found[0].rivals)
