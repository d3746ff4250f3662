"""Micro-batched gradients against one full forward and backward pass of the Hugging Face model."""

from functools import partial

import plain_gradients as plain
import pytest
import torch
from plain_runs import plain_gradients
from torch import Tensor
from transformers import PreTrainedModel

from memloc.editing import gradients
from memloc.editing.gradients import editable_gradients, nll_gradients
from memloc.model.subject import Subject
from memloc.scoring.losses import paragraph_nll

N_PREFIX = 5
subject = partial(Subject, n_prefix=N_PREFIX, micro_batch=4)


def slow_nll_gradients(model: PreTrainedModel, tokens: Tensor) -> dict[str, Tensor]:
    """Gradient of the model's own loss over all logits."""
    return plain_gradients(model, plain.nll(model, tokens, N_PREFIX), subject(model).weights)


def test_gradients_in_micro_batches_equal_plain_autograd(tiny_model, tiny_tokens):
    fast = nll_gradients(subject(tiny_model, micro_batch=3), tiny_tokens)
    slow = slow_nll_gradients(tiny_model, tiny_tokens)
    torch.testing.assert_close(fast, slow, atol=1e-6, rtol=1e-4)


def test_no_more_than_a_micro_batch_and_no_prefix_position_is_unembedded(tiny_gpt_neo, tiny_tokens):
    unembedded = []
    tiny_gpt_neo.lm_head.register_forward_hook(lambda module, args, output: unembedded.append(len(output)))
    nll_gradients(subject(tiny_gpt_neo, micro_batch=3), tiny_tokens)
    assert unembedded == [3 * 7, 3 * 7, 1 * 7]


@pytest.mark.parametrize("named", [False, True])
def test_only_the_wanted_weights_collect_gradients_and_none_is_left(tiny_model, tiny_tokens, named):
    """W_* weights, unless others are named; also after an error."""
    next(tiny_model.parameters()).requires_grad_(False)
    before = {name: parameter.requires_grad for name, parameter in tiny_model.named_parameters()}
    every = [*subject(tiny_model).weights]
    wanted = set(every[-2:] if named else every)
    with (
        pytest.raises(RuntimeError, match="stopped"),
        editable_gradients(subject(tiny_model), wanted if named else None),
    ):
        paragraph_nll(subject(tiny_model), tiny_tokens).mean().backward()
        assert {name for name, p in tiny_model.named_parameters() if p.grad is not None} == wanted
        assert set(gradients.take_gradients(subject(tiny_model))) == wanted
        assert all(parameter.grad is None for parameter in tiny_model.parameters())
        paragraph_nll(subject(tiny_model), tiny_tokens).mean().backward()
        raise RuntimeError("stopped")
    assert {name: p.requires_grad for name, p in tiny_model.named_parameters()} == before
    assert all(parameter.grad is None for parameter in tiny_model.parameters())


def test_running_out_of_memory_starts_again_with_half(tiny_gpt_neo, tiny_tokens):
    """The backward pass fails halfway, when the upper layer's gradients are there."""
    sizes = []

    def fail(slope: Tensor) -> None:
        if len(slope) > 1:
            raise torch.OutOfMemoryError("out of memory")

    def loss(rows: slice) -> Tensor:
        texts = tiny_tokens[rows]
        sizes.append(len(texts))
        return paragraph_nll(subject(tiny_gpt_neo), texts)

    layer = tiny_gpt_neo.transformer.h[1]
    layer.register_forward_pre_hook(lambda module, inputs: inputs[0].register_hook(fail) and None)
    with editable_gradients(subject(tiny_gpt_neo)):
        gradients.collect_gradients(subject(tiny_gpt_neo), loss, torch.ones(7) / 7)
        collected = gradients.take_gradients(subject(tiny_gpt_neo))
    assert sizes == [4, 2, *[1] * 7]
    layer._forward_pre_hooks.clear()
    slow = slow_nll_gradients(tiny_gpt_neo, tiny_tokens)
    torch.testing.assert_close(collected, slow, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_gradients_add_up_in_single_precision_and_stay_as_they_are(dtype):
    """bfloat16 has no number between 1 and 1 + 1/128."""
    total, one, little = {}, *({"w": torch.tensor([value], dtype=dtype)} for value in (1.0, 2**-9))
    for found in (one, little, little):
        gradients.add_gradients(total, found)
    assert total["w"].dtype == torch.float32 and total["w"].item() == 1 + 2**-8
    assert (one["w"].item(), little["w"].item()) == (1, 2**-9)


def test_no_paragraph_is_an_error(tiny_gpt_neo, tiny_tokens):
    with pytest.raises(ValueError, match="zero paragraphs"):
        nll_gradients(subject(tiny_gpt_neo), tiny_tokens[:0])
