"""Schemas of tables and the columns to build them from: type, range, unit and meaning, as plain data.

A meaning is written where it is given, as the argument `meaning`: its change reruns nothing (`run.tracking`).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from memloc.run.errors import InputError


class TableError(InputError):
    """A table breaks its schema or cannot be read."""


@dataclass(frozen=True)
class Lengths:
    """Tokens of a paragraph and of its prefix; schemas depend on them."""

    paragraph: int = 100
    prefix: int = 50

    @property
    def continuation(self) -> int:
        """Tokens of the continuation."""
        return self.paragraph - self.prefix


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column's content and limits. Missing values are refused unless it is `nullable`."""

    dtype: str = field(kw_only=False)
    """Type, as pandas names it: a `category` holds codes of `values`, an `object` lists of whole numbers."""
    meaning: str = field(repr=False)
    unit: str | None = field(default=None, repr=False)
    low: float | None = None
    high: float | None = None
    finite: bool = False
    values: tuple[str, ...] = ()
    """The only values that the column may hold; without any, it may hold all."""
    length: int | None = None
    """Length of each of its lists."""
    empty: bool = True
    """Whether a text may be empty."""
    unique: bool = False
    nullable: bool = False

    def stored_as(self, dtype: str) -> "Column":
        """The same column in another type, such as a small one for tables of millions of rows."""
        return replace(self, dtype=dtype)


Columns = dict[str, Column]


@dataclass(frozen=True)
class Schema:
    """A table: its name, and its columns by the lengths of paragraphs."""

    name: str
    columns: Callable[[Lengths], Columns]

    def fingerprint(self, lengths: Lengths) -> str:
        """Hash of the limits that rows are judged by, without meanings and units."""
        return hashlib.sha256(repr(self.columns(lengths)).encode()).hexdigest()[:16]


def integer(low: int, high: int | None = None, dtype: str | None = None, **options: Any) -> Column:
    """Integer column within inclusive limits; tables of millions of rows take a small `dtype`."""
    return Column(dtype or ("Int64" if options.get("nullable") else "int64"), low=low, high=high, **options)


def number(
    low: float | None = None, high: float | None = None, dtype: str = "float64", **options: Any
) -> Column:
    """Finite number column within inclusive limits; tables of millions of rows take a small `dtype`."""
    return Column(dtype, low=low, high=high, finite=True, **options)


def category(*values: str, dictionary: bool = False, **options: Any) -> Column:
    """Text column that holds one of the values; a dictionary of codes in tables of millions of rows."""
    return Column("category" if dictionary else "str", values=values, **options)


def words(**options: Any) -> Column:
    """Text column that says something in every row."""
    return Column("str", empty=False, **options)


def token_list(length: int | None, **options: Any) -> Column:
    """Column of token lists of one length; None: of any."""
    return Column("object", length=length, **options)


def n_tokens(high: int, *, meaning: str) -> Column:
    """Column of numbers of tokens."""
    return integer(0, high, unit="tokens", meaning=meaning)


def position(first: int, end: int, *, meaning: str, dtype: str | None = None) -> Column:
    """Column of token positions from `first` to before `end`."""
    return integer(first, end - 1, dtype, unit="token position in the paragraph, from 0", meaning=meaning)


def nats(*, meaning: str, **options: Any) -> Column:
    """Column of mean NLLs."""
    return number(0, unit="nats per token", meaning=meaning, **options)


PARAGRAPH = integer(0, meaning="Paragraph.")
ONE_PARAGRAPH = replace(PARAGRAPH, unique=True)  # for tables with a row per paragraph
LAYER = integer(0, unit="from 0", meaning="Layer of the model.")
HEAD = integer(0, unit="from 0", meaning="Attention head in its layer.")
HEAD_IF_ANY = integer(
    0, nullable=True, unit="from 0", meaning="Attention head; missing where the component has none."
)
NLL = nats(meaning="Mean negative log-likelihood of the continuation.")


def exact_match(n_continuation: int) -> Column:
    """Exact match of a paragraph."""
    return n_tokens(
        n_continuation, meaning="Exact match: leading tokens of the continuation that the model predicts."
    )


def surviving(high: int) -> Column:
    """Exact match of a perturbed prefix's continuation with the unperturbed paragraph's own one."""
    return n_tokens(high, meaning="Leading tokens of the paragraph's own continuation that survive.")
