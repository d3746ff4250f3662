"""The registry of claims, `registry.yaml`: its topics, and the keys of each entry.

A topic names the tables that its estimators read; its claims are computed from these tables alone.
"""

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from memloc.tables.terms.claims import PER_CENT, RULES, UNITS, on_scale

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
    quantity: str  # meaning of the value
    scale: str  # unit of the value; shares are %, and numbers from 0 to 1 everywhere but in text
    unit: Literal[UNITS] = "paragraph"  # what is counted
    sample: str | None = None  # setting (section.key) that says how many, where one does
    over: Literal["trainings"] | None = None  # judged over several trainings only
    rule: Literal[RULES] = "greater"
    bound: float = 0
    matters: float = Field(gt=0)  # smallest difference from the bound that matters to a reader
    reason: str  # for rule, bound and smallest difference
    figures: tuple[str, ...] = ()  # that show what it is about
    estimator: str  # function of claims/estimators/<topic>.py
    arguments: dict[str, str | int | float] = {}
    when: dict[str, str | bool] = {}  # settings (section.key) that the statement is meant for

    @model_validator(mode="after")
    def _can_be_judged(self) -> "Claim":
        """Either side can be reached: a share has room on both sides of its bound."""
        low = self.bound - self.matters
        high = low if self.rule == "at least" else self.bound + self.matters
        if self.scale == PER_CENT and not 0 < low <= high < 1:
            ends = " to ".join(on_scale(end, PER_CENT) for end in (low, high))
            raise ValueError(f"{self.id}: no share is beyond {ends} on either side")
        if not self.statement.endswith("."):
            raise ValueError(f"{self.id}: the statement is a sentence and ends with a full stop")
        return self


class Topic(_Entry):
    """Claims about one thing, computed together, from the same tables: a family."""

    name: str
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
    entries = yaml.load(file.read_text(), yaml.CSafeLoader)  # by libyaml, in a tenth of the time
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
