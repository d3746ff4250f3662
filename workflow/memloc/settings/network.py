"""Settings: section `network`."""

from pydantic import Field

from memloc.settings.base import Address, Section


class Network(Section):
    """Where downloads come from, and how."""

    endpoint: Address = Field(
        "https://huggingface.co", description="Hub of models, or a mirror that answers as it does."
    )
    allow_http: bool = Field(
        False, description="Accept addresses without encryption, such as those of a server of your own."
    )
