"""What plans import, and the modules that they hash: loaded once by the process that plans are forked from.

A plan of the working tree's own library, such as one in a fresh clone, finds it loaded; one of another copy
forgets it and loads its own.
"""

import re
import sys
from pathlib import Path

import jinja2  # noqa: F401
import pyarrow.parquet  # noqa: F401
import snakemake.cli  # noqa: F401

from memloc.run import tracking

WORKFLOW = tracking.PACKAGE.parent
for path in (WORKFLOW / "Snakefile", *(WORKFLOW / "rules").glob("*.smk")):
    exec("\n".join(re.findall(r"(?m)^from memloc\..+", path.read_text())))
for path in (*tracking.PACKAGE.rglob("*.py"), *(WORKFLOW / "scripts").glob("*.py")):
    tracking.imports(path)


def forget_unless_of(folder: Path) -> None:
    """Forget the library if it is not that of a project."""
    if (folder / "workflow").resolve() != WORKFLOW:
        for name in [name for name in sys.modules if name.partition(".")[0] == "memloc"]:
            del sys.modules[name]
