"""Settings: section `planted_truth`."""

from typing import Annotated, Literal

from pydantic import Field

from memloc.settings.base import Judging, MicroBatch, NonNegative, Positive, Section
from memloc.settings.model import GROWN_GRANULARITIES

# Kinds of places that paragraphs are planted in, each with the units that are scored, its own first.
PLANT_GRANULARITIES = {kind.removeprefix("grown_"): units for kind, units in GROWN_GRANULARITIES.items()}
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
    n_heads: Positive = Field(3, description="Heads of one layer in a place of kind `heads`.")
    n_neurons: Positive = Field(256, description="Neurons of one layer in a place of kind `neurons`.")
    nll: float = Field(
        0.3,
        gt=0,
        description="A plant has reached the criterion when the whole continuation is recited, its NLL (nats "
        "per token) is below this, and other paragraphs are kept.",
    )
    kl: float = Field(
        0.02,
        gt=0,
        description="Other paragraphs count as kept if their predictions have moved by less than this (KL "
        "divergence in nats per token).",
    )
    keep: NonNegative = Field(
        8, description="Other paragraphs whose predictions each step keeps; 0: as in INJ (2311.09060)."
    )
    n_kept: Positive = Field(128, description="Other paragraphs in all; each step keeps `keep` in turn.")
    keep_weight: float = Field(
        4.0, gt=0, description="Weight of the kept paragraphs' KL divergence from the unplanted model."
    )
    max_steps: Positive = Field(300, description="Limit of steps of Adam.")
    controls: list[Literal["twin", "wrong"]] = Field(
        ["twin", "wrong"],
        description="Controls: methods are also asked about the unplanted model with the paragraph (twin), "
        "and about the planted model with another paragraph (wrong).",
    )
    masks: bool = Field(
        False,
        description="Also ask methods that train masks (HardConcrete, Slimming): seconds per question.",
    )
    integration_steps: Positive = Field(10, description="Steps of integrated gradients.")
    n_judging: Judging = 16
    micro_batch: MicroBatch = 16

    @property
    def n_paragraphs(self) -> NonNegative:
        """Number of unknown paragraphs for plants and control `wrong`; all kinds of places share them."""
        return self.n_plants * (self.tries + ("wrong" in self.controls))
