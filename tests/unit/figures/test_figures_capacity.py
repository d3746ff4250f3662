"""Figure `capacity`: the most bits of each size, and what the caption says of those that learn on."""

import pytest
from figure_labels import checked
from made_tables import frame_of

from memloc.figures import capacity
from memloc.settings.sections import sections


@pytest.mark.parametrize("n_converged", [0, 3])
def test_the_caption_says_the_most_bits_and_how_many_models_could_hold_more(n_converged):
    """Sizes that hold 2.0, 2.4 and 2.8 bits per weight of a text, less of twice as much of it."""
    rows = []
    for number, weights in enumerate((30_040, 98_480, 287_856)):
        for text, held in ((1, 1.0), (4, 2.0 + 0.4 * number), (8, 1.9)):
            for passes in (25, 75):
                share = held if passes == 75 else held / 2
                done = {"passes": passes, "converged": passes == 75 and number < n_converged}
                bits = {"text_bits": text * weights, "bits": share * weights, "bits_per_weight": share}
                rows.append({"weights": weights, "length": 64, **done, **bits})
    table = frame_of("capacity", **{name: [row[name] for row in rows] for name in rows[0]})
    drawing = capacity.draw({"capacity": table}, sections({"paragraph": {"length": 64, "prefix": 32}}))
    text = checked("capacity", drawing)
    assert text.startswith("Models of 3 sizes hold at most 2.0 to 2.8 bits per weight")
    assert ("Open marks (3 of 3)" in text) == (n_converged == 0)
    assert [line.get_ydata()[0] for line in drawing.figure.axes[1].lines[1:6:2]] == pytest.approx(
        [2, 2.4, 2.8]
    )
