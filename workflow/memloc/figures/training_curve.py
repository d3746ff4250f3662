"""Loss and learning rate of the training on repeated paragraphs (not in the paper)."""

import pandas as pd

from memloc.figures.parts.style import Drawing, subplots
from memloc.settings.base import Section


def draw(tables: dict[str, pd.DataFrame], settings: Section) -> Drawing:
    """Training loss (nats per token) and learning rate against the optimiser step."""
    curve = tables["training_curve"]
    figure, axes = subplots()
    axes.plot(curve.step, curve.loss, color="black")
    axes.set(xlabel="optimiser step", ylabel="loss (nats per token)", ylim=(0, None))
    rate = axes.twinx()
    rate.plot(curve.step, curve.learning_rate, color="0.6", linestyle="--")
    rate.set_ylabel("learning rate (dashed)", color="0.4")
    rate.set_ylim(0, None)
    rate.spines["right"].set_visible(True)
    numbers = {"n_steps": int(curve.step.iloc[-1]), "final_loss": float(curve.loss.iloc[-1])}
    return Drawing(figure, curve, numbers)
