"""Small tables of gradients and attention, and what figures of them show."""

import numpy as np
import pandas as pd
from made_tables import crossed

from memloc.settings.sections import sections

N_PREFIX, LENGTH = 10, 20
SETTINGS = sections(
    {"highlight": {"layer": 1, "head": 2}, "paragraph": {"prefix": N_PREFIX, "length": LENGTH}}
)
MEMORIZED, OTHERS = [3, 8, 21], [4, 30, 31]
TEXTS = ["the", " of", "\n\n    ", "\t", "Washington", " internationalization_of_everything", ".", " "]


def components(n_layers: int, heads: dict[str, int | None]) -> pd.DataFrame:
    """Rows layer, component, head; components of no heads have a single row with a null head."""
    rows = [
        (layer, component, head)
        for layer in range(n_layers)
        for component, n_heads in heads.items()
        for head in ([None] if n_heads is None else range(n_heads))
    ]
    return pd.DataFrame(rows, columns=["layer", "component", "head"]).astype({"head": "Int16"})


def perturbation(rng: np.random.Generator) -> pd.DataFrame:
    """One draw for every position of the memorized paragraphs, and their unperturbed rows."""
    frame = crossed(id=MEMORIZED, position=range(-1, N_PREFIX)).assign(set="memorized", draw=0, token=5)
    em = np.where(frame["position"] < 0, LENGTH - N_PREFIX, rng.integers(LENGTH - N_PREFIX, size=len(frame)))
    return frame.assign(em=em, nll_original=rng.uniform(0, 3, len(frame)))


def made_up(
    n_layers: int = 2, n_heads: int = 4, n_kv_heads: int | None = None, scale: float = 1e-3
) -> dict[str, pd.DataFrame]:
    """Tables with random gradients and attention of three memorized and three other paragraphs."""
    rng, n_kv_heads = np.random.default_rng(0), n_kv_heads or n_heads
    heads = {"q": n_heads, "k": n_kv_heads, "v": n_kv_heads, "z": n_heads, "pre": None, "post": None}
    every = components(n_layers, heads)
    gradients = every[every["component"] == "v"].merge(
        crossed(group=["memorized", "perturbed"], id=MEMORIZED, position=range(LENGTH - 1)), how="cross"
    )
    impact = every[every["component"].isin(["q", "k"])].merge(
        crossed(group=["memorized", "perturbed"], id=MEMORIZED, role=["perturbed", "impact"]), how="cross"
    )
    attention = crossed(
        id=MEMORIZED + OTHERS, layer=range(n_layers), head=range(n_heads), position=range(N_PREFIX)
    )
    ids = MEMORIZED + OTHERS
    tokens = [rng.integers(len(TEXTS), size=LENGTH) for _ in ids]
    return {
        "activation_gradients": gradients.assign(max_abs=rng.gamma(1, scale, len(gradients))),
        "impact_gradients": impact.assign(
            max_abs=rng.gamma(1, scale, len(impact)),
            position=np.where((impact["role"] == "impact") | (impact["id"] == 21), 9, 4),
        ),
        "attention": attention.assign(
            attention=rng.dirichlet(np.ones(N_PREFIX), len(attention) // N_PREFIX).ravel()
        ),
        "sets": pd.DataFrame({"id": ids, "set": ["memorized"] * 3 + ["non_memorized"] * 3, "sampled": True}),
        "paragraphs": pd.DataFrame({"id": ids, "tokens": tokens}),
        "vocabulary": pd.DataFrame({"token": range(len(TEXTS)), "text": TEXTS}),
        "perturbation": perturbation(rng),
        "perturbed_paragraphs": pd.DataFrame({"id": MEMORIZED, "position": [4, 0, 9], "tokens": tokens[:3]}),
    }
