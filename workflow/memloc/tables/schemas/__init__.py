"""Schemas of all tables, one file per stage: content, limits and unit of each column.

The function with a table's name gives the table's columns for lengths of paragraphs. `schema_of` finds it.
The hash of a rule's code covers the schemas of its own tables, so that another column reruns their producer
and their readers alone.
"""

import importlib
import re
from pathlib import Path

from memloc.tables.columns import Schema

# Stage of every table: the name of the file with its schema. It is read from the files, so that another stage
# changes no code that others hash.
STAGES = {
    table: file.stem
    for file in sorted(Path(__file__).parent.glob("[!_]*.py"))
    for table in re.findall(r"^def ([a-z]\w*)\(lengths: Lengths\)", file.read_text(), re.MULTILINE)
}

MEASURED = ("estimate",)
"""Tables of times, which differ from run to run: they lie among the benchmarks of a study."""


def schema_of(table: str) -> Schema:
    """Schema of a table by its name."""
    return Schema(table, getattr(importlib.import_module(f"{__name__}.{STAGES[table]}"), table))


def file_of(table: str) -> Path:
    """File of the table's schema."""
    return Path(__file__).with_name(f"{STAGES[table]}.py")
