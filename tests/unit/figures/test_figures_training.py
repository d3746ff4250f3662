"""The figure of the training curve."""

import pandas as pd

from memloc.figures import training_curve


def test_the_training_curve_is_drawn_to_its_end():
    curve = pd.DataFrame({"step": [1, 21, 40], "loss": [8.0, 5.0, 3.5], "learning_rate": [0.1, 1.0, 0.2]})
    drawing = training_curve.draw({"training_curve": curve}, None)
    loss, rate = (axes.lines[0] for axes in drawing.figure.axes)
    assert (loss.get_linestyle(), rate.get_linestyle()) == ("-", "--")
    assert drawing.figure.axes[0].get_xlabel() == "optimiser step"
    names = [axes.get_ylabel() for axes in drawing.figure.axes]
    assert [axes.get_ylim()[0] for axes in drawing.figure.axes] == [0, 0]
    assert names == ["loss (nats per token)", "learning rate (dashed)"]
    assert loss.get_xydata().tolist() == [[1, 8.0], [21, 5.0], [40, 3.5]]
    assert rate.get_xydata().tolist() == [[1, 0.1], [21, 1.0], [40, 0.2]]
    assert drawing.numbers == {"n_steps": 40, "final_loss": 3.5}
