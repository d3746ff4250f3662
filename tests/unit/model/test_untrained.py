"""The model before any training."""

import torch

from memloc.model.untrained import untrained


def test_it_has_the_shape_and_not_the_weights_and_drops_nothing_out(tiny_gpt2, tiny_tokens):
    tiny_gpt2.config.resid_pdrop = 0.5
    fresh = untrained(tiny_gpt2.bfloat16(), seed=3)
    own, others = dict(tiny_gpt2.named_parameters()), dict(fresh.named_parameters())
    assert {name: each.shape for name, each in own.items()} == {
        name: each.shape for name, each in others.items()
    }
    assert {each.dtype for each in others.values()} == {torch.bfloat16}
    assert not any(module.training for module in fresh.modules())
    assert torch.equal(fresh(tiny_tokens).logits, fresh(tiny_tokens).logits)
    assert not torch.equal(fresh(tiny_tokens).logits, tiny_gpt2(tiny_tokens).logits)


def test_it_follows_the_seed_and_leaves_torchs_own_random_numbers_alone(tiny_gpt2, tiny_tokens):
    before = torch.random.get_rng_state()
    first, again, other = (untrained(tiny_gpt2, seed)(tiny_tokens).logits for seed in (3, 3, 4))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), before)
