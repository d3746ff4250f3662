"""How often paragraphs occur in the indexes of a training corpus."""

from memloc.tables.columns import Columns, integer
from memloc.tables.schema import Lengths, Schema

UNIT = "occurrences in the indexes"


def _exposure(lengths: Lengths) -> Columns:
    return {
        "id": integer(0, unique=True, meaning="Paragraph."),
        "count": integer(0, unit=UNIT, meaning="How often the paragraph occurs, at any offset."),
        "prefix_count": integer(0, unit=UNIT, meaning="How often its prefix occurs, at any offset."),
        "continuation_count": integer(0, unit=UNIT, meaning="How often its continuation does."),
    }


EXPOSURE = Schema("exposure", _exposure)
