"""Seconds of a pass, per weight and paragraph, measured here with random weights by a process of its own.

Of a large model, one of the usual shape with `MOST_WEIGHTS` is timed: time is proportional to the weights. On
a processor it is that of one thread while it runs, whatever else the machine does.
"""

import json
import subprocess
import sys
import time

from memloc.settings.study import Settings

MOST_WEIGHTS = 1e8  # in the layers of the model that is timed
WORK, MOST_ROWS = 3e8, 8  # of a micro-batch: weights times paragraphs on a processor, and paragraphs


def speed(n_weights: float, settings: Settings) -> dict[str, float]:
    """Seconds of a pass per weight and paragraph on a thread (`cpu`), and on a GPU (`cuda`) if it may run."""
    given = json.dumps([n_weights, settings.model_dump(mode="json")])
    command = [sys.executable, "-m", "memloc.planning.measure"]
    printed = subprocess.run(command, input=given, check=True, capture_output=True, text=True).stdout
    return json.loads(printed.splitlines()[-1])


def measured(n_weights: float, settings: Settings) -> dict[str, float]:
    """The speed, measured by this process."""
    import torch

    from memloc.model.subject import Subject
    from memloc.model.training import new_model
    from memloc.scoring.paragraph_scores import teacher_forced

    torch.set_num_threads(1)
    vocabulary = settings.data.vocabulary if settings.model.source == "embedded" else 50_304
    n_timed, lengths = min(n_weights, MOST_WEIGHTS), settings.paragraph
    n_heads = max(1, round((7 * n_timed) ** (1 / 3) / 64))  # models are 85 times as wide as deep
    width = 64 * n_heads
    n_layers = max(1, round(n_timed / (12 * width**2)))
    model = new_model(vocabulary, n_layers, n_heads, width, lengths.length, seed=0).eval()
    n_timed = model.num_parameters()
    has_gpu, found = settings.loading.device != "cpu" and torch.cuda.is_available(), {}
    clocks = [("cpu", time.process_time, int), ("cuda", time.perf_counter, torch.cuda.synchronize)]
    for device, clock, wait in clocks if has_gpu else clocks[:1]:
        n_rows = MOST_ROWS if device == "cuda" else max(1, min(MOST_ROWS, int(WORK / n_timed)))
        tokens = torch.randint(vocabulary, (n_rows, lengths.length))
        subject = Subject(model.to(device, getattr(torch, settings.loading.dtype)), lengths.prefix, n_rows)
        for _ in range(2):  # the first one warms up
            begin = clock()
            teacher_forced(subject, tokens)
            wait()
            found[device] = (clock() - begin) / n_timed / n_rows
    return found


if __name__ == "__main__":
    n_weights, study = json.load(sys.stdin)
    print(json.dumps(measured(n_weights, Settings.model_validate(study))))
