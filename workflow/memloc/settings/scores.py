"""Settings: section `scores`."""

from pydantic import Field

from memloc.settings.base import Section


class Scoring(Section):
    """Exact match and NLL (paper 3.2)."""

    margin_threshold: float = Field(
        1e-3,
        ge=0,
        description="Paragraphs decided by a smaller logit margin are decoded step by step; raise it "
        "with bfloat16, whose logits are often nearly tied.",
    )
