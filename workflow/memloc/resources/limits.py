"""Time limits of jobs, for schedulers: a multiple of the time that was estimated."""

import math
from pathlib import Path

from memloc.tables import storage
from memloc.tables.schemas import schema_of

SAFETY = 3  # of a limit over the estimate, which met most measured times within 1.5
LEAST = 30  # minutes: nobody has timed how slow a shared disk gives a large model


def limits(path: Path) -> dict[str, int]:
    """Minutes of every rule of table `estimate`, by its name; empty where the table is not there.

    What was not timed, downloads, has no limit.

    Raises:
        TableError: the file is damaged or no such table.
    """
    if not path.exists():
        return {}
    frame = storage.read(schema_of("estimate"), path, ["rule", "seconds"])
    return {
        row.rule: max(LEAST, math.ceil(SAFETY * row.seconds / 60))
        for row in frame[frame.seconds > 0].itertuples()
    }
