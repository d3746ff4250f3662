"""The registry of claims: `registry.yaml`, by topic, and what each of its entries says.

A topic names the tables that its estimators read, so that its claims are computed from these alone.
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
    work: str  # arXiv id
    section: str
    statement: str  # in our words
    published: float | None = None  # the published value, if there is one
    quantity: str  # what the value is, with its unit
    unit: Literal[UNITS]  # what is resampled, or counted
    rule: Literal[RULES]
    margin: float = 0
    margin_of: Literal["quantity", "continuation"] = "quantity"  # as a share of the continuation's tokens
    around_published: bool = False  # the rule's target is the published value, not zero
    reason: str  # for the rule and its margin
    figures: tuple[str, ...] = ()  # whose captions show the verdict
    estimator: str  # function of claims/estimators/<topic>.py
    arguments: dict[str, str | int | float] = {}
    only_for: Literal["gpt-neo-125m on the pile"] | None = None

    @property
    def target(self) -> float:
        """What the value is compared with."""
        return self.published if self.around_published else 0.0

    def bound(self, n_continuation: int) -> float:
        """What the value, or an end of its interval, must pass; of equivalence, the middle."""
        margin = self.scaled_margin(n_continuation)
        beyond = {"greater": margin, "at least": -margin, "reached": margin}
        return self.target + beyond.get(self.rule, 0.0)

    def scaled_margin(self, n_continuation: int) -> float:
        """Margin in the value's unit."""
        return self.margin * (n_continuation if self.margin_of == "continuation" else 1)

    @model_validator(mode="after")
    def _can_be_judged(self) -> "Claim":
        if self.around_published and self.published is None:
            raise ValueError(f"{self.id}: no published value")
        if self.rule == "exact" and not self.around_published:
            raise ValueError(f"{self.id}: what is exact is the published value: around_published")
        if self.margin < 0 or (self.rule in NEED_MARGIN and not self.margin):
            raise ValueError(f"{self.id}: rule {self.rule} needs a margin above zero")
        if not self.statement.endswith("."):
            raise ValueError(f"{self.id}: the statement is a sentence and ends with a full stop")
        return self


class Topic(_Entry):
    """Claims that are computed together, from the same tables."""

    name: str
    tables: dict[str, tuple[str, ...] | None]  # columns that are read; nothing: all
    settings: tuple[str, ...] = ()
    claims: tuple[Claim, ...]


@cache
def topics(file: Path = FILE) -> dict[str, Topic]:
    """Every topic of the registry by its name, in the order of the file.

    Raises:
        pydantic.ValidationError: an entry has an unknown key or lacks one.
        ValueError: two claims have the same id.
    """
    found = {}
    for name, entry in yaml.safe_load(file.read_text()).items():
        claims = [{"id": id, "estimator": id} | claim for id, claim in entry.pop("claims").items()]
        found[name] = Topic(name=name, claims=claims, **entry)
    ids = [claim.id for topic in found.values() for claim in topic.claims]
    if twice := {id for id in ids if ids.count(id) > 1}:
        raise ValueError(f"{file}: more than one claim {', '.join(sorted(twice))}")
    return found


def topics_of_figure(figure: str) -> list[str]:
    """Topics with a claim whose verdict the figure's caption shows."""
    return [
        name for name, topic in topics().items() if any(figure in claim.figures for claim in topic.claims)
    ]
