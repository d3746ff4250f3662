"""The registry of claims, `registry.yaml`: its topics, and the keys of each entry.

A topic names the tables that its estimators read; its claims are computed from these tables alone.
"""

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from memloc.tables.terms.claims import NEED_MARGIN, RULES, UNITS

FILE = Path(__file__).with_name("registry.yaml")


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Claim(_Entry):
    """A statement and how it is judged."""

    id: str
    work: str = "2403.19851"  # arXiv id
    section: str
    statement: str  # in our words
    published: float | None = None  # the published value, if there is one
    quantity: str  # meaning of the value, with its unit
    unit: Literal[UNITS] = "paragraph"  # the unit that is resampled
    rule: Literal[RULES] = "greater"
    margin: float = 0
    reason: str  # for the rule and its margin
    figures: tuple[str, ...] = ()  # that show what it is about
    estimator: str  # function of claims/estimators/<topic>.py
    arguments: dict[str, str | int | float] = {}
    when: dict[str, str | bool] = {}  # settings (section.key) that the statement is meant for

    @property
    def bound(self) -> float:
        """The bound that an end of the interval must pass; for an equivalence, the middle."""
        return {"greater": self.margin, "at least": -self.margin, "equal within": 0.0}[self.rule]

    @model_validator(mode="after")
    def _can_be_judged(self) -> "Claim":
        if self.margin < 0 or (self.rule in NEED_MARGIN and not self.margin):
            raise ValueError(f"{self.id}: rule {self.rule} needs a margin above zero")
        if not self.statement.endswith("."):
            raise ValueError(f"{self.id}: the statement is a sentence and ends with a full stop")
        return self


class Topic(_Entry):
    """Claims that are computed together, from the same tables."""

    name: str
    data: str  # the data under its claims; topics of the same data are a family
    tables: dict[str, tuple[str, ...] | None]  # columns that are read; None: all
    settings: tuple[str, ...] = ()  # sections that its estimators read
    claims: tuple[Claim, ...]

    @property
    def sections(self) -> list[str]:
        """Sections of settings that its estimators read or its claims are meant for."""
        meant = (key.partition(".")[0] for claim in self.claims for key in claim.when)
        return sorted({*self.settings, *meant})


@cache
def topics(file: Path = FILE) -> dict[str, Topic]:
    """Every topic of the registry by its name, in the order of the file.

    Raises:
        pydantic.ValidationError: an entry has an unknown key or lacks one.
        ValueError: two claims have the same id.
    """
    entries = yaml.safe_load(file.read_text())
    found = {}
    for name, entry in entries.items():
        meant, given = entry.pop("when", {}), entry.pop("claims")
        claims = [
            {"id": id, "estimator": id} | claim | {"when": meant | claim.get("when", {})}
            for id, claim in given.items()
        ]
        found[name] = Topic(name=name, claims=claims, **entry)
    ids = [claim.id for topic in found.values() for claim in topic.claims]
    if twice := {id for id in ids if ids.count(id) > 1}:
        raise ValueError(f"{file}: more than one claim {', '.join(sorted(twice))}")
    return found
