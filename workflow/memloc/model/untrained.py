"""The same model before any training: a control for what its shape and the words alone can tell."""

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def untrained(model: "PreTrainedModel", seed: int) -> "PreTrainedModel":
    """A model of the same configuration, type and device with random first weights, in evaluation mode."""
    from transformers import AutoModelForCausalLM

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = AutoModelForCausalLM.from_config(model.config, dtype=torch.float32)
    return fresh.to(model.device, model.dtype).eval()
