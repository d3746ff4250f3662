"""What all sections of the settings share."""

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from memloc.settings.published import REFERENCE_NLL_WEIGHT

# Strict: neither text nor true is a number. Other numbers are not, since YAML reads 1e-3 as text.
Positive = Annotated[int, Field(ge=1, strict=True)]
NonNegative = Annotated[int, Field(ge=0, strict=True)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def _without_password(address: str) -> str:
    """Settings are logged and written into every table, so that no secret may be among them."""
    if "@" in urlsplit(address).netloc:
        raise ValueError("an address with a name or password in it; the hub's token belongs in HF_TOKEN")
    return address


Address = Annotated[str, AfterValidator(_without_password)]


class Section(BaseModel):
    """A group of settings: unknown keys are errors and values never change after validation."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _WithReference(Section):
    """With `reference`, `nll_weight` is that of the authors' code where none is given."""

    @model_validator(mode="before")
    @classmethod
    def _reference_weight(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("reference") is True:
            return {"nll_weight": REFERENCE_NLL_WEIGHT} | given
        return given


class _Contrast(_WithReference):
    """Weights of the two terms of a contrastive objective."""

    nll_weight: float = Field(
        1.0,
        gt=0,
        description="Weight of the edited paragraph's NLL "
        f"(with reference: {REFERENCE_NLL_WEIGHT} unless given).",
    )
    kl_weight: float = Field(1.0, ge=0, description="Weight of the controls' KL divergence.")
    reference: bool = Field(
        False,
        description=f"As the authors' code: KL summed over positions, NLL weight {REFERENCE_NLL_WEIGHT}, "
        "weight decay of 1.0 on every weight.",
    )
