"""Loading: the bridge computes what Hugging Face computes; edits keep what they change."""

import torch
from transformers import AutoModelForCausalLM

from memloc.model.loading import load
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
