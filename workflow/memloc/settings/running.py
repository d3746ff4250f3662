"""Settings: sections of a run: `network` and `estimate`."""

from pydantic import Field

from memloc.settings.base import Address, Positive, Section


class Network(Section):
    """Where models are downloaded from."""

    endpoint: Address = Field(
        "https://huggingface.co", description="Hub of models, or a mirror that answers as it does."
    )


class Estimate(Section):
    """The estimate of a study's cost (target `estimate`), which time limits of jobs follow."""

    paragraphs: Positive | None = Field(
        None,
        description="Paragraphs of your own text or list, before the filters; by default those of text by "
        "the size of its files, and of a list as many as are published, 15,000.",
    )
