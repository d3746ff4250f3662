"""Loading: the bridge computes what Hugging Face computes; edits keep what they change."""

import torch
from transformers import AutoModelForCausalLM

from memloc.model.loading import load, untrained
from memloc.model.subject import Subject
from memloc.settings.sections import sections


def test_model_for_edits_has_its_rounded_weights_in_single_precision_also_when_it_is_saved(folder, tmp_path):
    settings = sections(
        {"loading": {"device": "cpu", "dtype": "bfloat16"}, "paragraph": {"length": 10, "prefix": 5}}
    )
    rounded, edited = (load(folder, settings, 4, editing=editing).model for editing in (False, True))
    assert rounded.dtype == torch.bfloat16
    for name, weight in rounded.named_parameters():
        assert torch.equal(edited.get_parameter(name), weight.float())
        assert edited.get_parameter(name).dtype == torch.float32
    edited.save_pretrained(tmp_path)
    again = AutoModelForCausalLM.from_pretrained(tmp_path, dtype="auto")
    assert again.dtype == torch.float32


def test_an_untrained_model_has_the_shape_and_not_the_weights_and_drops_nothing_out(tiny_gpt2, tiny_tokens):
    tiny_gpt2.config.resid_pdrop = 0.5
    fresh = untrained(Subject(tiny_gpt2.bfloat16(), 5), seed=3).model
    own, others = dict(tiny_gpt2.named_parameters()), dict(fresh.named_parameters())
    shapes = [{name: each.shape for name, each in found.items()} for found in (own, others)]
    assert shapes[0] == shapes[1]
    assert {each.dtype for each in others.values()} == {torch.bfloat16}
    assert not any(module.training for module in fresh.modules())
    assert torch.equal(fresh(tiny_tokens).logits, fresh(tiny_tokens).logits)
    assert not torch.equal(fresh(tiny_tokens).logits, tiny_gpt2(tiny_tokens).logits)


def test_an_untrained_model_follows_the_seed_and_leaves_torchs_own_random_numbers_alone(
    tiny_gpt2, tiny_tokens
):
    before = torch.random.get_rng_state()
    drawn = (untrained(Subject(tiny_gpt2, 5), seed).model for seed in (3, 3, 4))
    first, again, other = (model(tiny_tokens).logits for model in drawn)
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), before)
