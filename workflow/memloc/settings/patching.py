"""Settings: section `patching`."""

from typing import Literal

from pydantic import Field

from memloc.settings.base import MicroBatch, Section


class Patching(Section):
    """Two-way activation patching (paper A.3)."""

    micro_batch: MicroBatch = 64  # patched runs
    exact: bool | Literal["auto"] = Field(
        "auto",
        description="Run every patch of q, k and v. false: first-order estimates only; auto: exact up to a "
        "billion parameters.",
    )
