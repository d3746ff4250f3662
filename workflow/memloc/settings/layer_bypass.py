"""Settings: section `layer_bypass`."""

from pydantic import Field

from memloc.settings.base import Judging, MicroBatch, Positive, Section

BYPASSES = {"attention": ("identity", "zero", "mean"), "mlp": ("zero", "mean")}  # ways, by block


class LayerBypass(Section):
    """Attention and MLP blocks of whole layers bypassed (2501.05078)."""

    n_paragraphs: Positive = Field(
        50, description="Memorized paragraphs that no analysis has sampled, and as many non-memorized ones."
    )
    n_judging: Judging = 50  # held-out paragraphs
    micro_batch: MicroBatch = 16
