"""Settings: section `planted_truth`."""

from typing import Annotated, Literal

from pydantic import Field

from memloc.settings.base import Judging, MicroBatch, NonNegative, Positive, Section
from memloc.settings.model import GROWN_GRANULARITIES

# Kinds of places that paragraphs are planted in, each with the units in which it is scored. A place consists
# of units of the first sort. `draw_place` (planting/places.py) draws places, KIND_LABELS
# (figures/parts/planted.py) has their labels.
PLANT_GRANULARITIES = {
    "head_vo": ("head", "layer", "weight"),
    "head_all": ("head", "layer", "weight"),
    "two_heads": ("head", "weight"),
    "neurons": ("neuron", "layer", "weight"),
    "inj_1": ("neuron", "weight"),
    "inj_0.1": ("neuron", "weight"),
    "scattered_1": ("weight",),
    "scattered_0.1": ("weight",),
}
GRANULARITIES = PLANT_GRANULARITIES | GROWN_GRANULARITIES
PlantKind = Literal[tuple(PLANT_GRANULARITIES)]
Rate = Annotated[float, Field(gt=0)]


class PlantedTruth(Section):
    """Paragraphs planted in chosen weights; every method is asked where they are (2311.09060)."""

    kinds: dict[PlantKind, Rate] = Field(
        {},
        description="Kinds of places, each with the learning rate of its plants; none: nothing is planted.",
    )
    n_plants: Positive = Field(24, description="Plants of each kind.")
    tries: Positive = Field(
        2, description="Places and paragraphs tried for each plant; table `plants` has the failures, too."
    )
    n_neurons: Positive = Field(
        64, description="Neurons of one layer that make up a place of kind `neurons`."
    )
    nll: float = Field(
        0.3,
        gt=0,
        description="A plant has reached the criterion when the whole continuation is recited and its NLL "
        "(nats per token) is below this.",
    )
    keep: NonNegative = Field(
        4, description="Other paragraphs whose predictions a step keeps; 0: as in INJ (2311.09060)."
    )
    n_kept: Positive = Field(64, description="Other paragraphs from which each step draws those to keep.")
    keep_weight: float = Field(
        4.0, gt=0, description="Weight of the kept paragraphs' KL divergence from the unplanted model."
    )
    keep_weight_heads: float = Field(
        0.3, gt=0, description="The same for places in heads, whose plants fail if it is larger."
    )
    max_steps: Positive = Field(400, description="Limit of steps of Adam.")
    controls: list[Literal["twin", "wrong"]] = Field(
        ["twin", "wrong"],
        description="Controls: methods are also asked about the unplanted model with the paragraph (twin), "
        "and about the planted model with another paragraph (wrong).",
    )
    masks: bool = Field(
        False,
        description="Also ask methods that train masks (HardConcrete, Slimming): seconds per question.",
    )
    neuron_ablation: bool = Field(False, description="Also zero every neuron, one by one: exact and slow.")
    integration_steps: Positive = Field(10, description="Steps of integrated gradients.")
    n_judging: Judging = 16
    micro_batch: MicroBatch = 16

    @property
    def n_paragraphs(self) -> NonNegative:
        """Number of unknown paragraphs for plants and control `wrong`; all kinds of places share them."""
        return self.n_plants * (self.tries + ("wrong" in self.controls))
