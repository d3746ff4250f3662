"""The model and the texts of the benchmark's comparisons, and what a comparison is.

The model has random weights. Its texts are random prefixes with its own greedy continuations, which it
therefore recites in full. Its attention is damped, so that one changed prefix token diverts a continuation
only sometimes, as with memorized paragraphs. Patching uses undamped attention, because patches of damped
attention would change next to nothing. The logits are spread, so that near-ties are as rare as in a trained
model. None of this changes the work of a forward pass.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor
from transformers import AutoModelForCausalLM, GPTNeoConfig, GPTNeoForCausalLM, PreTrainedModel

from memloc.bench.measure import Prepare
from memloc.bench.sizes import SIZES, Sizes
from memloc.model import loading, onednn
from memloc.model.components import components
from memloc.run.seeds import generator
from memloc.straightforward import decoding

ATTENTION_SCALE, LOGIT_SCALE = 0.01, 10.0


class Stage(NamedTuple):
    """A stage of the workflow: the work, and how many items it does."""

    prepare: Prepare
    n_items: int


@dataclass(frozen=True)
class Comparison:
    """A straightforward implementation, and the stages that do the same work."""

    item: str
    plain: Prepare
    n_plain: int
    chosen: np.ndarray | slice
    """Which of the stages' items the straightforward implementation does, too."""
    stages: dict[str, Stage]


@torch.no_grad()
def random_model(sizes: Sizes, seed: int) -> PreTrainedModel:
    """A GPT-Neo with random weights and spread logits; its layers attend globally and locally in turn."""
    torch.manual_seed(seed)
    kinds = ["global" if layer % 2 == 0 else "local" for layer in range(sizes.n_layers)]
    config = GPTNeoConfig(
        vocab_size=sizes.vocabulary,
        hidden_size=sizes.width,
        num_layers=sizes.n_layers,
        num_heads=sizes.n_heads,
        attention_types=[[[kind], 1] for kind in kinds],
        window_size=sizes.window,
        max_position_embeddings=sizes.window,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = GPTNeoForCausalLM(config)
    model.transformer.ln_f.weight.fill_(LOGIT_SCALE)
    return model.eval()


@torch.no_grad()
def damp_attention(model: PreTrainedModel) -> PreTrainedModel:
    """Scale the attention's outputs down, in place; returns the model."""
    for component in components(model):
        if component.name == "W_O":
            model.get_parameter(component.parameter).mul_(ATTENTION_SCALE)
    return model


@dataclass(frozen=True)
class Bench:
    """The model, and the settings of the stages as a study has them."""

    folder: Path
    settings: Any  # sections of a study (`settings.sections`)
    seed: int

    @property
    def sizes(self) -> Sizes:
        """How much of each stage is done."""
        return SIZES[self.settings.bench.size]

    @property
    def n_prefix(self) -> int:
        """Tokens of a prefix."""
        return self.settings.paragraph.prefix

    @property
    def n_tokens(self) -> int:
        """Tokens of a paragraph."""
        return self.settings.paragraph.length

    def model(self) -> PreTrainedModel:
        """The model, loaded as by rules that take gradients."""
        return loading.load_model(self.folder)

    def plain_model(self) -> PreTrainedModel:
        """The model, loaded by transformers alone."""
        model = AutoModelForCausalLM.from_pretrained(
            self.folder, local_files_only=True, use_safetensors=True, trust_remote_code=False
        )
        return model.eval()

    def reciting_model(self) -> PreTrainedModel:
        """The model with damped attention, packed for speed on a processor, as in rules without gradients."""
        model = damp_attention(self.model())
        onednn.pack(model)
        return model

    def random_tokens(self, n_rows: int, n_columns: int, *stream: str) -> Int[Tensor, "row column"]:
        """Uniformly random tokens."""
        random = generator(self.seed, "bench", *stream)
        return torch.from_numpy(random.integers(self.sizes.vocabulary, size=(n_rows, n_columns)))

    def in_batches(self, function: Callable[[Tensor], Tensor], rows: Tensor) -> np.ndarray:
        """Results of a straightforward implementation, a batch at a time."""
        return torch.cat([function(batch) for batch in rows.split(self.sizes.plain_batch)]).numpy()


def own_texts(bench: Bench) -> Int[np.ndarray, "text token"]:
    """Random prefixes with the model's own greedy continuations."""
    model, sizes = damp_attention(bench.plain_model()), bench.sizes
    n_rows = max(sizes.n_paragraphs, sizes.n_gradients, sizes.n_controls + 1)
    prefix = bench.random_tokens(n_rows, bench.n_prefix, "prefix")
    decode = partial(decoding.generate, model, n_tokens=bench.n_tokens - bench.n_prefix)
    return np.hstack([prefix.numpy(), bench.in_batches(decode, prefix)])
