"""Figure `capacity`: the bits of each size and text, and what the caption says of them."""

import pytest
from figure_labels import checked
from made_tables import LENGTHS, frame_of

from memloc.figures import capacity
from memloc.settings.sections import sections
from memloc.tables.schemas import schema_of
from memloc.tables.validation import validate


def test_the_caption_says_the_most_bits_of_every_size():
    """Sizes that hold 2.0, 2.4 and 2.8 bits per weight of a text, and less of twice and of half of it."""
    rows = []
    for number, weights in enumerate((30_040, 98_480, 287_856)):
        for text, held in ((2, -0.1), (4, 2.0 + 0.4 * number), (8, 1.9)):
            bits = {"text_bits": text * weights, "bits": held * weights, "bits_per_weight": held}
            rows.append({"weights": weights, "length": 64, "passes": 75, **bits})
    made = frame_of("capacity", **{name: [row[name] for row in rows] for name in rows[0]})
    table = validate(schema_of("capacity"), made, LENGTHS)
    drawing = capacity.draw({"capacity": table}, sections({"paragraph": {"length": 64, "prefix": 32}}))
    assert "After 75 passes" in checked("capacity", drawing)
    assert "models of 3 sizes hold 2.00 to 2.80 bits of them per weight" in checked("capacity", drawing)
    most = [line.get_ydata()[0] for line in drawing.figure.axes[1].lines[:3]]
    assert most == pytest.approx([2.0, 2.4, 2.8])
