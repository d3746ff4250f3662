"""Decide exact matches in bfloat16 where it surely decides as full precision does (paper 3.2)."""

import copy
import math

import torch
from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.model.onednn import native_bfloat16, pack
from memloc.scoring.early_stopping import decided_margins
from memloc.scoring.metrics import leading_matches
from memloc.scoring.teacher_forcing import continuation_states, score_tokens

N_DEVIATIONS = 12  # standard deviations of the error, whose tails are long: 11 were seen in 12,500 decisions
MOST_UNSURE = 0.5  # share of a sample; to run more than this again costs about as much as screening saves


def screening_pays(model: PreTrainedModel) -> bool:
    """Whether the device multiplies bfloat16 natively, the model is of another type and on one device."""
    spread = len(getattr(model, "hf_device_map", {})) > 1
    return native_bfloat16(model.device) and model.dtype != torch.bfloat16 and not spread


def screening_model(model: PreTrainedModel) -> PreTrainedModel:
    """A bfloat16 copy of a model on one device."""
    screen = copy.deepcopy(model).to(torch.bfloat16)
    pack(screen)
    return screen


@torch.inference_mode()
def least_sure_lead(
    model: PreTrainedModel,
    screen: PreTrainedModel,
    rows: Int[Tensor, "paragraph token"],
    n_prefix: int,
) -> float:
    """Smallest lead (logits) at which the screening model is trusted to decide as `model` does. It is a
    multiple of the standard deviation of the difference between both models' leads, measured on every
    continuation token of `rows`. It is infinite where most of these paragraphs would stay unsure.
    """
    true = rows[:, n_prefix:]
    sure, quick = (
        score_tokens(one, continuation_states(one, rows, n_prefix), true) for one in (model, screen)
    )
    least = N_DEVIATIONS * (sure.lead - quick.lead).square().mean().sqrt().item()
    em = leading_matches(quick.matched)
    unsure = decided_margins(quick.lead.abs(), em).amin(dim=1) < least
    return least if unsure.float().mean().item() <= MOST_UNSURE else math.inf
