"""The object of every analysis: a model, its shape and weights, and how it is given paragraphs.

Other modules of this room have functions of it: `sites` reads and replaces activations, `passes` runs a part
of the model again, `weights` selects and restores weights. The weights are the model's own, never folded or
centred, because gradients of folded weights differ.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn
from torch.nn import Parameter
from transformers.pytorch_utils import Conv1D

from memloc.model.components import HEAD_PARTS, Component
from memloc.model.families import Family, family
from memloc.model.pretrained import load_tokenizer

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import Cache, PreTrainedModel, PreTrainedTokenizerBase

# Bytes that are held at a time; on a CPU the system clears memory of 2**25 and more whenever it is taken.
LOGITS_BYTES = {"cpu": 2**24, "cuda": 2**28}
ACTIVATION_BYTES = {"cpu": 2**24, "cuda": 2**30}  # of an MLP in single precision: 4 times the model's width
Result = TypeVar("Result")
Tokens = Int[Tensor, "paragraph token"]
"""Paragraphs of one length, a row each."""
Statistics = Callable[[Float[Tensor, "token vocabulary"], Int[Tensor, "token"]], tuple[Tensor, ...]]
"""What is computed from the logits of tokens and the true tokens; it may overwrite the logits."""


def in_micro_batches(function: Callable[..., Result], micro_batch: int, *columns: Tensor) -> list[Result]:
    """Results of `function` for `micro_batch` rows of every column at a time, in order.

    Where the device runs out of memory, the micro-batch is halved from there on, and its rows are run again:
    `function` must leave nothing behind when it fails. An empty column gives one call with no rows.

    Raises:
        torch.OutOfMemoryError: a single row does not fit.
    """
    results, start = [], 0
    while start < max(len(columns[0]), 1):
        try:
            results.append(function(*(column[start : start + micro_batch] for column in columns)))
            start += micro_batch
            continue
        except torch.OutOfMemoryError:
            if micro_batch == 1:
                raise
        # The failed call's memory is free only here, after the handler: the exception held its frames.
        torch.cuda.empty_cache()
        micro_batch //= 2
    return results


@dataclass(frozen=True, eq=False)
class Subject:
    """A causal language model of a supported family, and how paragraphs are run."""

    model: "PreTrainedModel"
    n_prefix: int
    """Tokens of each paragraph that the model is given; it is scored on the others, the continuation."""
    micro_batch: int = 16
    """Paragraphs of a pass."""
    before: int | None = None
    """Token that stands before every prefix where `preceded` puts it (`paragraph.before`)."""
    bridge: "TransformerBridge | None" = None
    """TransformerLens's hooks in the model, which then read its sites (`loading.bridged`)."""

    # Paragraphs

    def preceded(self, tokens: Int[Tensor, "*row token"]) -> Int[Tensor, "*row before+token"]:
        """The paragraphs after the token `before`; unchanged if there is none."""
        if self.before is None:
            return tokens
        return torch.cat([tokens.new_full((*tokens.shape[:-1], 1), self.before), tokens], dim=-1)

    @property
    def of_preceded(self) -> "Subject":
        """The subject of `preceded` paragraphs, whose prefix has one token more."""
        return replace(self, n_prefix=self.n_prefix + (self.before is not None), before=None)

    def in_batches(self, function: Callable[..., Result], tokens: Tensor, *columns: Tensor) -> list[Result]:
        """Results of a function of some rows at a time (`in_micro_batches`), tokens on the model's device."""

        def of_rows(rows: Tensor, *others: Tensor) -> Result:
            return function(rows.to(self.device), *others)

        return in_micro_batches(of_rows, self.micro_batch, tokens, *columns)

    # Passes

    @property
    def device(self) -> torch.device:
        """Where tokens are given to the model."""
        return self.model.device

    def hidden(self, tokens: Tokens, cache: "Cache | None" = None) -> Float[Tensor, "row token width"]:
        """Last hidden states of tokens, which the caller unembeds where it needs to; `cache` is extended."""
        return self.model.base_model(tokens, cache=cache, use_cache=cache is not None).last_hidden_state

    def states(
        self, tokens: Tokens, cache: "Cache | None" = None
    ) -> Float[Tensor, "paragraph continuation width"]:
        """Last hidden states, whose logits predict the continuations.

        A `cache` with the keys and values of the first tokens (fewer than the prefix) spares running these
        again; it is extended.
        """
        n_cached = 0 if cache is None else cache.get_seq_length()
        return self.hidden(tokens[:, n_cached:-1], cache)[:, self.n_prefix - 1 - n_cached :]

    def states_in_parts(self, tokens: Tokens) -> Float[Tensor, "paragraph continuation width"]:
        """`states`, run for a few paragraphs at a time."""
        width = self.model.get_input_embeddings().weight.shape[1]
        n_held = max(1, ACTIVATION_BYTES[self.device.type] // (4 * 4 * width * tokens.shape[1]))
        return torch.cat([self.states(some) for some in tokens.split(n_held)])

    def logits(self, states: Float[Tensor, "*token width"]) -> Float[Tensor, "*token vocabulary"]:
        """Logits of last hidden states; half precision is raised to single."""
        logits = self.model.get_output_embeddings()(states)
        return logits.to(torch.promote_types(logits.dtype, torch.float32))

    @property
    def n_logits_held(self) -> int:
        """Number of tokens whose logits are held at a time."""
        n_vocabulary = self.model.get_output_embeddings().weight.shape[0]
        return max(1, LOGITS_BYTES[self.device.type] // (4 * n_vocabulary))

    def unembedded(
        self, states: Float[Tensor, "*token width"], true: Int[Tensor, "*token"], statistics: Statistics
    ) -> list[Shaped[Tensor, "*token"]]:
        """`statistics` of the logits of last hidden states, computed for a few tokens at a time."""
        n_held = self.n_logits_held
        batches = zip(states.flatten(0, -2).split(n_held), true.flatten().split(n_held), strict=True)
        parts = [statistics(self.logits(some), tokens) for some, tokens in batches]
        return [torch.cat(column).view(true.shape) for column in zip(*parts, strict=True)]

    # Shape and weights

    @cached_property
    def family(self) -> Family:
        """The model's family. InputError: it is not supported."""
        return family(self.model.config.model_type)

    @cached_property
    def tokenizer(self) -> "PreTrainedTokenizerBase":
        """The tokenizer in the folder that the model was read from."""
        return load_tokenizer(self.model.name_or_path)

    @property
    def n_layers(self) -> int:
        """Layers."""
        return self.model.config.num_hidden_layers

    @property
    def n_heads(self) -> int:
        """Query heads of a layer."""
        return self.model.config.num_attention_heads

    @property
    def n_groups(self) -> int:
        """Key/value heads of a layer, each with the query heads that read it."""
        return getattr(self.model.config, "num_key_value_heads", None) or self.n_heads

    @cached_property
    def n_neurons(self) -> int:
        """Neurons of a layer's MLP."""
        out = self.component(0, "W_out").parameter
        return self.as_linear(out, self.weights[out]).shape[1]

    @cached_property
    def stream(self) -> list[str]:
        """Names of the modules that the residual stream enters: the layers, and the norm after them."""
        layers = [f"{self.family.layers}.{number}" for number in range(self.n_layers)]
        return [*layers, self.family.final_norm]

    def module(self, name: str) -> nn.Module:
        """The module of this name."""
        return self.model.get_submodule(name)

    @cached_property
    def components(self) -> list[Component]:
        """All weight matrices, layer by layer."""
        heads = {"W_Q": self.n_heads, "W_K": self.n_groups, "W_V": self.n_groups, "W_O": self.n_heads}
        return [
            Component(number, name, f"{layer}.{stored.module}.weight", heads.get(name), stored)
            for number, layer in enumerate(self.stream[:-1])
            for name, stored in self.family.components.items()
        ]

    def component(self, layer: int, name: str) -> Component:
        """One weight matrix of a layer."""
        names = [*self.family.components]
        return self.components[layer * len(names) + names.index(name)]

    @property
    def weights(self) -> dict[str, Parameter]:
        """The parameters that hold components: no bias, LayerNorm or embedding (paper 5.2)."""
        names = dict.fromkeys(component.parameter for component in self.components)
        return {name: self.model.get_parameter(name) for name in names}

    @property
    def mlp_weights(self) -> dict[str, Parameter]:
        """The parameters of `weights` in MLPs."""
        names = [component.parameter for component in self.components if component.n_heads is None]
        return {name: self.model.get_parameter(name) for name in names}

    def as_linear(self, name: str, tensor: Shaped[Tensor, "..."]) -> Shaped[Tensor, "out in"]:
        """View of a tensor shaped like a parameter of `weights`, with the outputs in the first axis.

        GPT-2 stores them in the last one.
        """
        return tensor.T if isinstance(self.module(name.removesuffix(".weight")), Conv1D) else tensor

    def by_unit(self, component: Component, tensor: Shaped[Tensor, "..."]) -> Shaped[Tensor, "unit weight"]:
        """A component's weights in a tensor shaped like its parameter: a row per neuron or group of heads.

        A neuron is its row of W_in (and W_gate) and its row of W_out.
        """
        if component.name in HEAD_PARTS:
            return component.by_head(tensor).reshape(self.n_groups, -1)
        rows = self.as_linear(component.parameter, tensor)
        return rows.T if component.name == "W_out" else rows
