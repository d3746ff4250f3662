"""Types, checks and base classes that the sections of the settings share."""

from collections import Counter
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

REFERENCE_NLL_WEIGHT = 0.1  # weight of the memorized paragraph's NLL in the authors' code


def _no_truth(value: Any) -> Any:
    """Refuse `true`, which would be 1. Text may be a number: so Snakemake reads it from the command line."""
    if isinstance(value, bool):
        raise ValueError("a valid integer")
    return value


NoTruth = BeforeValidator(_no_truth)
Positive = Annotated[int, Field(ge=1), NoTruth]
NonNegative = Annotated[int, Field(ge=0), NoTruth]
# Types of keys that a config file gives to the study, which passes them on to every section that has them.
AsAuthors = SkipJsonSchema[bool]  # whether to follow the authors' code
Judging = SkipJsonSchema[Positive]  # texts of each kind that judge an intervention
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def _without_password(address: str) -> str:
    """Refuse a secret: settings are logged and written into every table."""
    if "@" in urlsplit(address).netloc:
        raise ValueError("an address with a name or password in it; the hub's token belongs in HF_TOKEN")
    return address


Address = Annotated[str, AfterValidator(_without_password)]


def _listed_once(values: list[Any]) -> list[Any]:
    if again := [value for value, n in Counter(values).items() if n > 1]:
        raise ValueError(f"listed more than once: {', '.join(map(str, again))}")
    return values


ListedOnce = AfterValidator(_listed_once)


class Section(BaseModel):
    """A group of settings. Unknown keys are errors, and values never change after validation."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ContrastiveSection(Section):
    """Sections with a contrastive objective, as the paper or as the authors' code has it."""

    reference: AsAuthors = False
    """As in the authors' code: KL summed over positions instead of averaged, and their weight of the NLL."""

    @property
    def nll_weight(self) -> float:
        """Weight of the memorized paragraph's NLL."""
        return REFERENCE_NLL_WEIGHT if self.reference else 1.0
