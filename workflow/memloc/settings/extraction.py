"""Settings: section `extraction`."""

from typing import Annotated

from pydantic import Field, model_validator

from memloc.settings.base import Positive, Section


class Scheme(Section):
    """A way to sample tokens; truncation in the order of transformers: top_k, then top_p of the rest."""

    temperature: float = Field(1.0, gt=0, description="Divides the logits.")
    top_k: Positive | None = Field(None, description="Only the k most likely tokens are sampled.")
    top_p: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None, description="Only the fewest tokens that hold this share of the probability are sampled."
    )

    @property
    def name(self) -> str:
        """Name of the scheme in table `extraction`."""
        limits = {"top k": self.top_k, "top p": self.top_p}
        given = [f"{word} = {limit:g}" for word, limit in limits.items() if limit is not None]
        return ", ".join([f"T = {self.temperature:g}", *given])


class Extraction(Section):
    """Probability that sampling gives the continuation (2410.19482)."""

    schemes: list[Scheme] = Field(
        [Scheme(top_k=40), Scheme()],
        min_length=1,
        description="Figure `extraction` shows the first one in detail.",
    )

    n_beams: Positive = Field(
        5,
        description="Texts of a beam search, whose probabilities add up to the bound on near recitation.",
    )

    @model_validator(mode="after")
    def _schemes_differ(self) -> "Extraction":
        names = [scheme.name for scheme in self.schemes]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"schemes must differ: {', '.join(twice)}")
        return self
