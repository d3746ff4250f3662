"""How many bits of random tokens a model can hold: its capacity (2505.24832).

Of uniformly random tokens nothing can be told but what was learned of these very tokens. So the bits by which
a model's code of them is shorter than log2 of the vocabulary are in its weights.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from memloc.model.pretrained import use_deterministic_algorithms
from memloc.model.training import Training, new_model
from memloc.run.progress import Progress
from memloc.run.rule import log
from memloc.run.seeds import generator
from memloc.settings.model import EmbeddedModel

VOCABULARY = 256  # different tokens
TEXTS = (1, 2, 4, 8)  # bits per weight; a larger text takes longer than this study may
PASSES, ROUNDS = 25, 4  # passes of the first round of training, then twice those of the round before
GROWTH = 1.05  # less is none: of a round, and of twice the text
ROWS = 64  # windows per pass without gradients


def held(model: PreTrainedModel, rows: Int[np.ndarray, "window position"]) -> tuple[float, float]:
    """Bits of random windows that a model holds, and their mean NLL (nats per token).

    The first token of a window is given, and is not counted.
    """
    nll, n = 0.0, rows[:, 1:].size
    with torch.inference_mode():
        for part in torch.from_numpy(rows).split(ROWS):
            logits = model(part, use_cache=False).logits[:, :-1].double()
            nll += cross_entropy(logits.flatten(0, 1), part[:, 1:].flatten(), reduction="sum").item()
    return (n * math.log(VOCABULARY) - nll) / math.log(2), nll / n


def grows(before: float, bits: float) -> bool:
    """Whether bits are more than those before by what counts as growth."""
    return bits > GROWTH * max(before, 0)


def filled(how: EmbeddedModel, seed: int, work: Path) -> Iterator[dict[str, Any]]:
    """Rows of table `capacity` of one size, round by round, of texts of `TEXTS` bits per weight.

    The last text is the first one of which the model holds no more than of half of it. If it holds more of
    the largest text, that text has not `converged`: the model could hold more.

    Args:
        work: folder of checkpoints, from which a killed run goes on; the caller deletes it.
    """
    use_deterministic_algorithms()
    before, bits = 0.0, 0.0
    for text in TEXTS:
        for row in learned(text, how, seed, work):
            bits = row["bits"]
            full = text < TEXTS[-1] or not grows(before, bits)
            yield row | {"converged": row["converged"] and full}
        if text > TEXTS[0] and not grows(before, bits):
            return
        before = bits


def learned(text: int, how: EmbeddedModel, seed: int, work: Path) -> Iterator[dict[str, Any]]:
    """Train a new model on random tokens of `text` bits per weight: a row per round, until bits stay."""
    shape = {name: getattr(how, name) for name in ("n_layers", "n_heads", "width", "context")}
    model = new_model(VOCABULARY, **shape, seed=seed)
    n_weights, per_window = model.num_parameters(), (how.context - 1) * math.log2(VOCABULARY)
    random = generator(seed, "capacity", str(how.width), str(text))
    size = math.ceil(text * n_weights / per_window), how.context
    rows = random.integers(VOCABULARY, size=size)
    passes = steps = 0
    bits = 0.0
    for number in range(ROUNDS):
        n = PASSES * 2**number
        order = np.concatenate([random.permutation(len(rows)) for _ in range(n)])
        progress = Progress(math.ceil(len(order) / how.batch), "steps")
        path = work / f"{text}-{number}" / "state.pt"
        Training(model, how, bf16=False).run(rows[order], path, lambda step, *_: progress.at(step))  # noqa: B023
        passes, steps, before = passes + n, steps + math.ceil(len(order) / how.batch), bits
        bits, nll = held(model, rows)
        converged = number > 0 and not grows(before, bits)
        log(f"{n_weights:,} weights, {text} bits of text for each: {bits / n_weights:.2f} held")
        text_bits = {"tokens": rows[:, 1:].size, "text_bits": len(rows) * per_window}
        done = {"passes": passes, "steps": steps, "nll": nll, "bits": bits, "converged": converged}
        yield {
            "weights": n_weights,
            "length": how.context,
            "bits_per_weight": bits / n_weights,
            **text_bits,
            **done,
        }
        if converged:
            return
