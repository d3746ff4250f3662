"""Tables of a study of several models, made up so that every number is known."""

import numpy as np
import pandas as pd
from made_tables import crossed

SIZES = {"small": (2, 4), "middle": (3, 6), "large-long.name": (6, 8)}  # layers, heads


def judged(place: int) -> list[dict]:
    """A claim that holds everywhere, one in the first model alone, one that never applies, and more."""
    verdicts = {"always": "holds", "first_only": "does not hold" if place else "holds"}
    verdicts |= {"never": "not applicable"} | {f"claim_number_{n}": "undecided" for n in range(27)}
    said = {"statement": "So it is.", "value": place}
    return [{"id": id, "topic": f"topic {len(id)}", "verdict": verdicts[id], **said} for id in verdicts]


def tables_of(sizes: dict[str, tuple[int, int]]) -> dict[str, pd.DataFrame]:
    names = ("models", "paragraphs", "scores", "sets", "claims")
    frames = {name: [] for name in names}
    ids = np.arange(400)
    paragraphs = pd.DataFrame({"id": ids, "count": np.where(ids < 200, 2 ** (ids % 8), 1)})
    paragraphs = paragraphs.assign(text=[f"text {i}" for i in ids], cut_count=None, continuation_count=None)
    for place, (model, (n_layers, n_heads)) in enumerate(sizes.items()):
        memorized = (ids < 200) & (ids % 8 >= 6 - 2 * place)
        found = {
            "models": crossed(n_parameters=[10 ** (5 + place)], n_layers=[n_layers], n_heads=[n_heads]),
            "paragraphs": paragraphs,
            "scores": pd.DataFrame({"id": ids, "em": np.where(memorized, 50, 20)}),
            "sets": pd.DataFrame({"id": ids, "set": np.where(memorized, "memorized", "partly_11_29")}),
            "claims": pd.DataFrame(judged(place)),
        }
        for name, frame in found.items():
            frames[name].append(frame.assign(model=model))
    return {name: pd.concat(parts, ignore_index=True) for name, parts in frames.items()}
