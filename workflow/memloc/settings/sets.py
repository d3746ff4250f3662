"""Settings: section `sets`."""

from typing import Annotated, Literal

from pydantic import Field

from memloc.settings.base import ListedOnce, Positive, Section


class Sets(Section):
    """Memorized and non-memorized sets and their samples (paper 3.2)."""

    n_memorized: Positive = Field(
        50, description="Memorized paragraphs that the analyses use, of unlike texts first."
    )
    n_non_memorized: Positive = Field(50, description="Non-memorized paragraphs that the analyses use.")
    n_partly: Positive = Field(50, description="Paragraphs of each partly memorized set.")
    n_pairs: Positive = Field(
        50,
        description="Pairs of a memorized and another paragraph whose continuations occur equally often, to "
        "tell memorization from exposure.",
    )
    n_rare_tokens: Positive = Field(
        1000,
        description="Paragraphs of the rare-token analysis (paper 6.3); at most four fifths of all, so that "
        "some are held out.",
    )
    continuation: Literal["model", "corpus"] = Field(
        "model",
        description="Continuation of paragraphs that are not memorized: the model's own, as in the paper, or "
        "the true one, which is text that the model does not know.",
    )
    kinds: Annotated[list[Literal["reconstruction", "recitation", "recollection"]], ListedOnce] = Field(
        [],
        description="Kinds (by rules) of memorized paragraphs that are sampled and paired: figures of "
        "localization then show these alone; none: all. Others stay memorized, and judge side effects.",
    )
