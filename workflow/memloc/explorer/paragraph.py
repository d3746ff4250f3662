"""Everything that the page shows about one paragraph."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from memloc.explorer.maps import maps_of_paragraph
from memloc.explorer.tokens import Rows, Shape, replacements, values_of_tokens
from memloc.localization.rare_tokens import prefix_ranks


def paragraphs(
    ids: list[int], tables: Mapping[str, pd.DataFrame], shape: Shape, counts: np.ndarray
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Id and content of each paragraph; `counts` says how often each token of the vocabulary occurs."""
    texts = tables["vocabulary"].set_index("token")["text"]
    groups = {name: dict(iter(frame.groupby("id"))) for name, frame in tables.items() if "id" in frame}
    for number in ids:
        own = {name: found[number] for name, found in groups.items() if number in found}
        yield number, _paragraph(own, shape, texts, counts)


def _paragraph(own: Rows, shape: Shape, texts: pd.Series, counts: np.ndarray) -> dict[str, Any]:
    tokens = np.array(own["paragraphs"]["tokens"].iloc[0])
    ranks = prefix_ranks(tokens[None, : shape.n_prefix], counts)[0]
    perturbation, near = own.get("perturbation"), own.get("near_verbatim")
    return {
        "tokens": texts.loc[tokens].tolist(),
        "counts": counts[tokens].tolist(),
        "ranks": ranks.tolist(),
        "values": values_of_tokens(own, shape),
        "replaced": [] if perturbation is None else replacements(perturbation, texts),
        "greedy": None if near is None else texts.loc[near["continuation"].iloc[0]].tolist(),
        "perturbed": _perturbed(own, shape, texts),
        "maps": maps_of_paragraph(own, shape.n_prefix),
    }


def _perturbed(own: Rows, shape: Shape, texts: pd.Series) -> dict[str, Any] | None:
    """The strongest perturbation: position, new token, and the model's continuation."""
    if "perturbed_paragraphs" not in own:
        return None
    row = own["perturbed_paragraphs"].iloc[0]
    return {
        "position": int(row["position"]),
        "text": texts.loc[row["token"]],
        "impact": int(row["impact_position"]),
        "tokens": texts.loc[row["tokens"][shape.n_prefix :]].tolist(),
        "em": int(row["em"]),
    }
