"""Settings: section `loading`."""

from typing import Literal

from pydantic import Field, model_validator

from memloc.settings.base import Positive, Section


class Loading(Section):
    """How every rule that runs the model loads it."""

    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto",
        description="auto takes a GPU where there is one; cpu leaves it to others, cuda fails without one.",
    )
    dtype: Literal["float32", "bfloat16"] = Field(
        "float32", description="Type of the weights; bfloat16 halves the memory and makes near-ties common."
    )
    gpus: Positive = Field(1, description="GPUs of each job; the layers are spread over more than one.")
    micro_batch: Positive | None = Field(
        None, description="Rows per pass; null: as many as suit each analysis of a small model, 10 to 64."
    )

    @model_validator(mode="after")
    def _gpus_need_a_gpu(self) -> "Loading":
        if self.device == "cpu" and self.gpus > 1:
            raise ValueError("gpus above 1 need device auto or cuda")
        return self
