"""Settings: section `rare_tokens`."""

from pydantic import Field

from memloc.settings.base import Positive, Section


class RareTokens(Section):
    """Attention against token rarity (paper 6.3)."""

    n_permutations: Positive = Field(
        200, description="Permutations of the null distribution; p-values are no finer than one over them."
    )
