"""What plans import, and the modules that they hash: loaded once by the process that plans are forked from.

A plan of the working tree's own library, such as one in a fresh clone, finds it loaded; one of another copy
forgets it and loads its own.
"""

import sys
from pathlib import Path

import jinja2  # noqa: F401
import pyarrow.parquet  # noqa: F401
import snakemake.cli  # noqa: F401

from memloc.figures import catalog  # noqa: F401
from memloc.model import context  # noqa: F401
from memloc.resources import duration, limits  # noqa: F401
from memloc.run import console, steps, tracking  # noqa: F401
from memloc.settings import command_line, errors  # noqa: F401

WORKFLOW = tracking.PACKAGE.parent
for path in (*tracking.PACKAGE.rglob("*.py"), *(WORKFLOW / "scripts").glob("*.py")):
    tracking.imports(path)


def forget_unless_of(folder: Path) -> None:
    """Forget the library if it is not that of a project."""
    if (folder / "workflow").resolve() != WORKFLOW:
        for name in [name for name in sys.modules if name.partition(".")[0] == "memloc"]:
            del sys.modules[name]
