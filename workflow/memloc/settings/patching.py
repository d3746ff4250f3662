"""Settings: section `patching`."""

from pydantic import Field

from memloc.settings.base import MicroBatch, Section


class Patching(Section):
    """Two-way activation patching (paper A.3)."""

    micro_batch: MicroBatch = 64  # patched runs
    exact: bool | None = Field(
        None,
        description="Run every patch of q, k and v, which takes hours on a large model. false: first-order "
        "estimates only; null: exact up to a billion parameters.",
    )
