"""How many bits of random tokens a model can hold: its capacity (2505.24832).

Of uniformly random tokens nothing can be told but what was learned of these very tokens. So the bits by which
a model's code of them is shorter than log2 of the vocabulary are in its weights.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch.nn.functional import cross_entropy
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedModel

from memloc.model.pretrained import use_deterministic_algorithms
from memloc.model.training import Training
from memloc.run.progress import Progress
from memloc.run.rule import log
from memloc.run.seeds import generator
from memloc.settings.capacity import PASSES, VOCABULARY
from memloc.settings.model import EmbeddedModel

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


def new_model(how: EmbeddedModel, seed: int) -> GPT2LMHeadModel:
    """Randomly initialised GPT-2, the architecture of the known answer (2505.24832).

    It learns a vector for every position. With rotary positions, a model must first find what stands before
    a token, and held a sixth less of the same text after as many steps.
    """
    torch.manual_seed(seed)
    shape = {"n_positions": how.context, "n_embd": how.width, "n_layer": how.n_layers, "n_head": how.n_heads}
    return GPT2LMHeadModel(GPT2Config(vocab_size=VOCABULARY, bos_token_id=0, eos_token_id=0, **shape))


def learned(text: int, how: EmbeddedModel, seed: int, work: Path) -> dict[str, Any]:
    """Row of table `capacity`: a new model learns random tokens of `text` bits per weight, of which it then
    holds some.

    Args:
        work: folder of checkpoints, from which a killed run goes on; the caller deletes it.
    """
    use_deterministic_algorithms()
    model = new_model(how, seed)
    n_weights, per_window = model.num_parameters(), (how.context - 1) * math.log2(VOCABULARY)
    random = generator(seed, "capacity", str(how.width), str(text))
    rows = random.integers(VOCABULARY, size=(math.ceil(text * n_weights / per_window), how.context))
    order = np.concatenate([random.permutation(len(rows)) for _ in range(PASSES)])
    n_steps = math.ceil(len(order) / how.batch)
    progress = Progress(n_steps, "steps")
    Training(model, how, bf16=False).run(rows[order], work / "state.pt", lambda step, *_: progress.at(step))
    bits, nll = held(model, rows)
    log(f"{n_weights:,} weights, {text} bits of text for each: {bits / n_weights:.2f} held")
    return {
        "weights": n_weights,
        "length": how.context,
        "tokens": rows[:, 1:].size,
        "text_bits": len(rows) * per_window,
        "passes": PASSES,
        "steps": n_steps,
        "nll": nll,
        "bits": bits,
        "bits_per_weight": bits / n_weights,
    }
