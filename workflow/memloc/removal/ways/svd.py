"""The smallest singular components of every MLP matrix are dropped: no paragraph is named."""

import torch

from memloc.editing.masks import EVERY, Movable
from memloc.model.components import components
from memloc.removal.request import Change, Request, Setting


def svd(request: Request) -> Change:
    """Drop a share of the singular components of each matrix; settings are shares."""
    model = request.model
    names = list(dict.fromkeys(part.parameter for part in components(model) if part.n_heads is None))
    with torch.no_grad():
        decomposed = {
            name: torch.linalg.svd(model.get_parameter(name).double(), full_matrices=False) for name in names
        }

    @torch.no_grad()
    def change(setting: Setting) -> Movable:
        for name, (left, sizes, right) in decomposed.items():
            n_dropped = max(1, round(setting[0] * len(sizes)))
            small = slice(len(sizes) - n_dropped, None)
            weight = model.get_parameter(name)
            weight -= ((left[:, small] * sizes[small]) @ right[small]).to(weight)
        return dict.fromkeys(names, EVERY)

    return change
