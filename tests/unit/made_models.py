"""Tables of a study of several models, made up so that every number is known."""

import numpy as np
import pandas as pd

SIZES = {"small": (2, 4), "middle": (3, 6), "large-long.name": (6, 8)}  # layers, heads


def judged(place: int) -> list[dict]:
    """A claim that holds everywhere, one in the first model alone, one that never applies, and more."""
    verdicts = {
        "always": "holds",
        "first_only": "does not hold" if place else "holds",
        "never": "not applicable",
    }
    verdicts |= {f"claim_number_{number}": "undecided" for number in range(27)}
    return [
        {
            "id": name,
            "topic": f"topic {len(name)}",
            "statement": "So it is.",
            "value": place,
            "verdict": verdict,
        }
        for name, verdict in verdicts.items()
    ]


def tables_of(sizes: dict[str, tuple[int, int]]) -> dict[str, pd.DataFrame]:
    names = ("models", "paragraphs", "scores", "sets", "claims")
    frames = {name: [] for name in names}
    ids = np.arange(400)
    counts = np.where(ids < 200, 2 ** (ids % 8), 1)
    for place, (model, (n_layers, n_heads)) in enumerate(sizes.items()):
        memorized = (ids < 200) & (ids % 8 >= 6 - 2 * place)
        found = {
            "models": pd.DataFrame(
                {"n_parameters": [10 ** (5 + place)], "n_layers": n_layers, "n_heads": n_heads}
            ),
            "paragraphs": pd.DataFrame(
                {"id": ids, "count": counts, "text": [f"text {i}" for i in ids]}
            ).assign(cut_count=None, continuation_count=None),
            "scores": pd.DataFrame({"id": ids, "em": np.where(memorized, 50, 20)}),
            "sets": pd.DataFrame({"id": ids, "set": np.where(memorized, "memorized", "partly_11_29")}),
            "claims": pd.DataFrame(judged(place)),
        }
        for name, frame in found.items():
            frames[name].append(frame.assign(model=model))
    return {name: pd.concat(parts, ignore_index=True) for name, parts in frames.items()}
