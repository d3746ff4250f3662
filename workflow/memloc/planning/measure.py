"""The process that measures this machine: seconds of a pass of each kind, per weight and paragraph.

Weights are random. Of a large model, one of the usual shape with `MOST_WEIGHTS` is timed: time goes with the
weights. On a processor it is that of one thread while it runs, whatever else the machine does.
"""

import json
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from memloc.editing.gradients import nll_gradients
from memloc.editing.optimisers import SparseAdam
from memloc.localization.activation_gradients import activation_gradients
from memloc.model.subject import Subject, Tokens
from memloc.model.training import new_model
from memloc.model.weights import all_weights
from memloc.run.rule import spare_garbage
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.settings.study import Settings

MOST_WEIGHTS = 1e8  # in the layers of the model that is timed
WORK, MOST_ROWS = 1e8, 8  # of a micro-batch: weights times paragraphs on a processor, and paragraphs

KINDS: dict[str, Callable[[Subject, Tokens], object]] = {
    "score": teacher_forced,
    "gradients": lambda of, texts: activation_gradients(of, texts, np.arange(len(texts)), "memorized", False),
    "edit": lambda of, texts: SparseAdam(of, all_weights(of), 1e-5).step(nll_gradients(of, texts)),
}


def measured(n_weights: float, settings: Settings) -> dict[str, dict[str, float]]:
    """Seconds for a weight and a paragraph, by device (`cuda` if it may run) and kind."""
    torch.set_num_threads(1)
    vocabulary = settings.data.vocabulary if settings.model.source == "embedded" else 50_304
    n_timed, lengths = min(n_weights, MOST_WEIGHTS), settings.paragraph
    width = 64 * max(1, round((7 * n_timed) ** (1 / 3) / 64))  # models are 85 times as wide as deep
    n_layers = max(1, round(n_timed / (12 * width**2)))
    model = new_model(vocabulary, n_layers, width // 64, width, lengths.length, seed=0).eval()
    n_timed = model.num_parameters()
    has_gpu, found = settings.loading.device != "cpu" and torch.cuda.is_available(), {}
    clocks = [("cpu", time.process_time, int), ("cuda", time.perf_counter, torch.cuda.synchronize)]
    for device, clock, wait in clocks if has_gpu else clocks[:1]:
        n_rows = MOST_ROWS if device == "cuda" else max(1, min(MOST_ROWS, int(WORK / n_timed)))
        tokens, found[device] = torch.randint(vocabulary, (n_rows, lengths.length)), {}
        for kind, run in KINDS.items():
            dtype = torch.float32 if kind == "edit" else getattr(torch, settings.loading.dtype)
            subject = Subject(model.to(device, dtype), lengths.prefix, n_rows)
            for _ in range(2):  # the first one warms up
                begin = clock()
                run(subject, tokens.to(device))
                wait()
                found[device][kind] = (clock() - begin) / n_timed / n_rows
    return found


if __name__ == "__main__":
    spare_garbage()
    n_weights, study = json.load(sys.stdin)
    print(json.dumps(measured(n_weights, Settings.model_validate(study))))
