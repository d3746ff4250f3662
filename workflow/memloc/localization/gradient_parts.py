"""The largest gradients of heads in resampled paragraphs.

The largest entry of a mean gradient is not the mean of the largest entries, so it has to be found anew in
every resampled gradient. A sample is split at random into parts, the gradients of each part are summed, and a
resampled gradient is a weighted sum of these sums. Each part has a row with a number for every weight (3.4 GB
for ten parts and the 85 million weights of GPT-Neo 125M). The rows lie in a temporary file (in TMPDIR) and
are read one component at a time, so they take no extra memory.
"""

import tempfile

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from memloc.data.draws import Draws
from memloc.editing.gradients import Gradients
from memloc.model.subject import Subject

SUMS_HELD = 2**22  # weighted sums that are held at a time


class Sums:
    """Gradients of the W_* weights in single precision, one row each, in a file deleted with the object."""

    def __init__(self, subject: Subject, n_rows: int) -> None:
        self._subject = subject
        sizes = {name: weight.numel() for name, weight in subject.weights.items()}
        ends = dict(zip(sizes, np.cumsum([*sizes.values()]).tolist(), strict=True))
        self._columns = {name: slice(end - sizes[name], end) for name, end in ends.items()}
        with tempfile.TemporaryFile() as file:  # lives on while it is mapped
            self._rows = np.memmap(file, np.float32, "w+", shape=(n_rows, sum(sizes.values())))

    def put(self, row: int, gradients: Gradients) -> None:
        """Store one row."""
        for name, columns in self._columns.items():
            self._rows[row, columns] = gradients[name].flatten().float().cpu()

    def rows(self, name: str) -> Float[Tensor, "row ..."]:
        """All rows of one parameter."""
        found = torch.from_numpy(self._rows[:, self._columns[name]].copy())
        return found.unflatten(1, self._subject.weights[name].shape)

    def largest(self, draws: Draws, group: str) -> pd.DataFrame:
        """Largest |weighted sum of the rows| of each component and head, for every row of `draws`.

        Columns group, sample, number, layer, component, head and max_abs. Resamples leave out MLP matrices:
        these hold most of the weights, and only heads are ranked.
        """
        whole = (draws.keys["sample"] != "resample").to_numpy()
        frames = []
        for component in self._subject.components:
            by_head = torch.stack([component.by_head(row) for row in self.rows(component.parameter)], dim=1)
            asked = whole if component.n_heads is None else np.full(len(whole), True)
            for head, sums in enumerate(by_head):
                values = largest_sums(torch.from_numpy(draws.weights[asked]).float(), sums)
                frame = draws.keys[asked].assign(layer=component.layer, component=component.name)
                number = None if component.n_heads is None else head
                frames.append(frame.assign(head=number, max_abs=values.numpy()))
        found = pd.concat(frames, ignore_index=True).astype({"head": "Int64", "max_abs": "float64"})
        found.insert(0, "group", group)
        return found


def largest_sums(
    weights: Float[Tensor, "sample row"], sums: Float[Tensor, "row weight"]
) -> Float[Tensor, "sample"]:
    """Largest |weights @ sums| of every row, a few columns at a time."""
    n_columns = max(1, SUMS_HELD // len(weights))
    found = [(weights @ columns).abs_().amax(dim=1) for columns in sums.split(n_columns, dim=1)]
    return torch.stack(found).amax(dim=0)
