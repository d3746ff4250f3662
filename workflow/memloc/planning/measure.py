"""Seconds per weight and paragraph, measured here with random weights by a process of its own.

A model of the study's width, of as many layers as have `N_WEIGHTS` weights, is timed; time is proportional to
the weights. On a processor it is that of one thread while it runs, whatever else the machine does.
"""

import json
import subprocess
import sys
import time
import timeit
from collections.abc import Callable
from pathlib import Path

from memloc.planning.memory import Shape
from memloc.settings.study import TRAINED, Settings

N_WEIGHTS = 1e8  # weights of the layers that are timed
WORK, MOST_ROWS = 3e8, 8  # of a micro-batch: weights times paragraphs on a processor, and paragraphs

Speed = dict[str, float]
"""Seconds to `load` the library, and by kind of rule those per weight and paragraph, or window of training.

What is not known is missing. With `gpus`, all but training runs on one, else on one thread.
"""


def speed(shape: Shape, settings: Settings, on_gpu: bool = False) -> Speed:
    """The speed of this machine for a study's model. What runs `on_gpu` is not known if there is none."""
    given = json.dumps([shape, settings.model_dump(mode="json"), on_gpu])
    command = [sys.executable, "-m", "memloc.planning.measure"]
    printed = subprocess.run(command, input=given, check=True, capture_output=True, text=True).stdout
    return json.loads(printed.splitlines()[-1])


def measured(shape: Shape, settings: Settings, on_gpu: bool) -> Speed:
    """The speed, measured by this process."""
    begin = time.process_time()
    import numpy as np
    import torch

    from memloc.editing.gradients import nll_gradients
    from memloc.editing.optimisers import SparseAdam
    from memloc.model.pretrained import native_bfloat16
    from memloc.model.subject import Subject
    from memloc.model.training import Training, new_model
    from memloc.model.weights import all_weights
    from memloc.scoring.paragraph_scores import teacher_forced

    gpus = torch.cuda.device_count() if settings.loading.device != "cpu" else 0
    found = {"load": time.process_time() - begin, "gpus": gpus}
    torch.set_num_threads(1)
    how, lengths, vocabulary = settings.model, settings.paragraph, shape.vocabulary
    n_layers = max(1, min(shape.n_layers, int(N_WEIGHTS / (12 * shape.width**2))))
    model = new_model(vocabulary, n_layers, shape.n_heads, shape.width, lengths.length, seed=0)
    n_weights = model.num_parameters()

    def seconds(run: Callable[[], object]) -> float:
        """Seconds of the faster of two runs, per weight; the first one warms up."""
        clock, wait = (time.perf_counter, torch.cuda.synchronize) if gpus else (time.process_time, int)
        return min(timeit.repeat(lambda: (run(), wait()), number=1, repeat=2, timer=clock)) / n_weights

    if how.source in TRAINED:
        windows = np.random.default_rng(0).integers(vocabulary, size=(how.batch, how.context))
        bf16 = how.precision == "bfloat16" or (how.precision == "auto" and native_bfloat16(model.device))
        given = windows, Path("no checkpoint"), lambda *_: None
        # A training that is done would run no step again.
        found["training"] = seconds(lambda: Training(model, how, bf16).run(*given)) / how.batch
    if gpus or not on_gpu:
        n_rows = max(1, MOST_ROWS if gpus else min(MOST_ROWS, int(WORK / n_weights)))
        tokens = torch.randint(vocabulary, (n_rows, lengths.length))
        model = model.eval().to("cuda" if gpus else "cpu", getattr(torch, settings.loading.dtype))
        subject = Subject(model, lengths.prefix, n_rows)
        adam = SparseAdam(subject, all_weights(subject), learning_rate=1e-5)
        found["score"] = seconds(lambda: teacher_forced(subject, tokens)) / n_rows
        found["gradients"] = seconds(lambda: nll_gradients(subject, tokens)) / n_rows
        found["edit"] = seconds(lambda: adam.step(nll_gradients(subject, tokens))) / n_rows
    return found


if __name__ == "__main__":
    shape, study, on_gpu = json.load(sys.stdin)
    print(json.dumps(measured(Shape(*shape), Settings.model_validate(study), on_gpu)))
