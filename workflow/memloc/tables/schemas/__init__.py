"""Schemas of all tables, one file per stage: what each column holds, within which limits, in which unit.

A table is a function of its name, from the lengths of paragraphs to its columns.
A rule's hash of code covers the schemas of its tables, so that another column reruns their producer and their
readers alone: scripts find them by `schema_of`.
"""

import importlib
import re
from pathlib import Path

from memloc.tables.columns import Schema

# Stage of every table, which is the name of the file that describes it. Read from the files, so that another
# stage changes no code that others hash.
STAGES = {
    table: file.stem
    for file in sorted(Path(__file__).parent.glob("[!_]*.py"))
    for table in re.findall(r"^def ([a-z]\w*)\(lengths: Lengths\)", file.read_text(), re.MULTILINE)
}

MEASURED = ("estimate", "removal_costs")
"""Tables of seconds, in which no two runs agree: they lie among the benchmarks of a study."""


def schema_of(table: str) -> Schema:
    """Schema of a table by its name."""
    return Schema(table, getattr(importlib.import_module(f"{__name__}.{STAGES[table]}"), table))


def file_of(table: str) -> Path:
    """File of the table's schema."""
    return Path(__file__).with_name(f"{STAGES[table]}.py")
