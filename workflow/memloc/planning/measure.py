"""Seconds per operation of a model of a shape, measured here with random weights by a process of its own.

A model of as many layers as have N_WEIGHTS weights is timed; time is proportional to the operations of its
products. On a processor, time is that of one thread while it runs, whatever else the machine does.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from memloc.planning.shapes import Shape
from memloc.settings.study import TRAINED, Settings

if TYPE_CHECKING:
    from transformers import PreTrainedModel

UNKNOWN = float("nan")
N_WEIGHTS = 1e8  # weights of the layers that are timed
MOST_SECONDS, MOST_RUNS = 0.3, 5  # a micro-batch runs again until so many seconds have passed
WORK, GPU_WORK, MOST_ROWS = 6e10, 2e12, 8  # operations and paragraphs of a micro-batch


class Speed(NamedTuple):
    """Seconds to load the library, and per operation of passes, of gradients, of steps and of training."""

    load: float
    score: float
    gradients: float
    edit: float
    training: float
    gpus: int = 0  # with them, all but training runs on one; else all is of one thread


def speed(shape: Shape, settings: Settings, on_gpu: bool = False) -> Speed:
    """The speed of this machine for a study's model; NaN for what runs `on_gpu` if there is none."""
    given = json.dumps([shape, settings.model_dump(mode="json"), on_gpu])
    command = [sys.executable, "-m", "memloc.planning.measure"]
    printed = subprocess.run(command, input=given, check=True, capture_output=True, text=True).stdout
    return Speed(*json.loads(printed.splitlines()[-1]))


def measured(shape: Shape, settings: Settings, on_gpu: bool) -> Speed:
    """The speed, measured by this process."""
    begin = time.process_time()
    import torch
    from transformers import AutoModelForCausalLM  # noqa: F401  with torch, what takes longest to import

    load = time.process_time() - begin
    torch.set_num_threads(1)
    gpus = torch.cuda.device_count() if settings.loading.device != "cpu" else 0
    n_layers = int(N_WEIGHTS * shape.n_layers / shape.n_component_weights)
    shape = shape._replace(n_layers=max(1, min(shape.n_layers, n_layers)))
    trained = settings.model.source in TRAINED
    training = _training(shape, settings) if trained else UNKNOWN
    passes = [UNKNOWN] * 3 if on_gpu and not gpus else _passes(shape, settings, gpus > 0)
    return Speed(load, *passes, training, gpus)


def _passes(shape: Shape, settings: Settings, on_gpu: bool) -> list[float]:
    """Seconds per operation of forward passes, of gradients, and of steps of Adam."""
    import torch

    from memloc.editing.gradients import nll_gradients
    from memloc.editing.optimisers import SparseAdam
    from memloc.model.subject import Subject
    from memloc.model.weights import all_weights
    from memloc.scoring.paragraph_scores import teacher_forced

    length, prefix = settings.paragraph.length, settings.paragraph.prefix
    work = shape.operations(length, length - prefix)
    n_rows = max(1, min(MOST_ROWS, int((GPU_WORK if on_gpu else WORK) / work)))
    tokens = torch.randint(shape.vocabulary, (n_rows, length))
    dtype = getattr(torch, settings.loading.dtype)
    model = random_model(shape).to("cuda" if on_gpu else "cpu", dtype)
    subject = Subject(model, prefix, n_rows)
    adam = SparseAdam(subject, all_weights(subject), learning_rate=1e-5)
    runs = (
        lambda: teacher_forced(subject, tokens),
        lambda: nll_gradients(subject, tokens),
        lambda: adam.step(nll_gradients(subject, tokens)),
    )
    return [seconds(run, on_gpu) / n_rows / work for run in runs]


def _training(shape: Shape, settings: Settings) -> float:
    """Seconds per operation of training steps, which run on the processor."""
    from pathlib import Path

    import numpy as np

    from memloc.model.pretrained import native_bfloat16
    from memloc.model.training import Training

    how, model = settings.model, random_model(shape)
    bf16 = how.precision == "bfloat16" or (how.precision == "auto" and native_bfloat16(model.device))
    rows = np.random.default_rng(0).integers(shape.vocabulary, size=(how.batch, how.context))

    def train() -> None:
        Training(model, how, bf16).run(rows, Path("no checkpoint"), lambda *_: None)

    return seconds(train) / how.batch / shape.operations(how.context, how.context)


def random_model(shape: Shape) -> "PreTrainedModel":
    """A model of a shape, of a family with such matrices; one matrix embeds and unembeds."""
    from transformers import AutoModelForCausalLM, GPTNeoXConfig, LlamaConfig

    sizes = {
        "hidden_size": shape.width,
        "intermediate_size": shape.d_mlp,
        "num_hidden_layers": shape.n_layers,
        "num_attention_heads": shape.n_heads,
        "vocab_size": shape.vocabulary,
        "tie_word_embeddings": True,
    }
    grouped = {"num_key_value_heads": shape.n_kv_heads, "head_dim": shape.d_head}
    config = LlamaConfig(**sizes, **grouped) if shape.gated else GPTNeoXConfig(**sizes)
    return AutoModelForCausalLM.from_config(config).eval()


def seconds(run: Callable[[], object], on_gpu: bool = False) -> float:
    """Seconds of the fastest of a few runs; the first ones warm up."""
    import torch

    clock = time.perf_counter if on_gpu else time.process_time
    found: list[float] = []
    while sum(found) < MOST_SECONDS and len(found) < MOST_RUNS:
        begin = clock()
        run()
        if on_gpu:
            torch.cuda.synchronize()
        found.append(clock() - begin)
    return min(found)


if __name__ == "__main__":
    shape, study, on_gpu = json.load(sys.stdin)
    print(json.dumps(measured(Shape(*shape), Settings.model_validate(study), on_gpu)))
