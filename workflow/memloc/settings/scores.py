"""Settings: section `scores`."""

from pydantic import Field

from memloc.settings.base import MicroBatch, Positive, Section


class Scoring(Section):
    """Exact match and NLL (paper 3.2)."""

    threads: Positive = Field(
        2, description="Processor threads of scores and sets, for which all other rules with the model wait."
    )
    micro_batch: MicroBatch = 64
    margin_threshold: float = Field(
        1e-3,
        ge=0,
        description="Paragraphs decided by a smaller logit margin are decoded step by step; raise it "
        "with bfloat16, whose logits are often nearly tied.",
    )
