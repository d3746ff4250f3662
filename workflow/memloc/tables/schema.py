"""What a table is: its name and its columns, as plain data."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from memloc.run.errors import InputError
from memloc.tables.columns import Columns


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


@dataclass(frozen=True)
class Schema:
    """A table: its name, and its columns by the lengths of paragraphs."""

    name: str
    columns: Callable[[Lengths], Columns]

    def fingerprint(self, lengths: Lengths) -> str:
        """Hash of all that rows are judged by: not of meanings and units."""
        return hashlib.sha256(repr(self.columns(lengths)).encode()).hexdigest()[:16]
