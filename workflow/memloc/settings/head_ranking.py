"""Settings: section `head_ranking`."""

from pydantic import Field

from memloc.settings.base import Section


class HeadRanking(Section):
    """The ranking of heads by all methods together."""

    weighted: bool = Field(
        False,
        description="Weigh each method by how well it finds planted heads in this model: its average "
        "precision above that of random scores. `planted_truth.kinds` must name a kind of heads.",
    )
