"""Settings: section `expected`."""

from typing import Literal

from pydantic import Field

from memloc.settings.base import Section

# Of paragraphs and sets, as their names say, and of analyses.
COUNTED = ("n_paragraphs", "n_memorized", "n_non_memorized", "n_partly_11_29", "n_partly_30_49", "max_count")
OF_ANALYSES = ("rank_of_head", "rare_token_correlation", "key_query_layer", "n_unique_tokens")


class Expected(Section):
    """Published numbers of this study; the run reports its own next to them, and uses none."""

    numbers: dict[Literal[*COUNTED, *OF_ANALYSES], float] = Field(
        {},
        description="Published numbers by name: n_paragraphs (left by the filters), n_<set>, max_count "
        "(occurrences of the most frequent paragraph); rank_of_head (of `highlight` in the rankings), "
        "rare_token_correlation (of its attention), key_query_layer (with the largest gradients in perturbed "
        "paragraphs), n_unique_tokens (of memorized and non-memorized paragraphs).",
    )
    filter: Literal["run", "reference"] = Field(
        "run",
        description="Filter that the published numbers come from: this study's, or the authors' code "
        "(reference), whose paragraphs are then scored and counted too.",
    )
