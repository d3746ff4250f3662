"""Loading: the bridge computes what Hugging Face computes; edits keep what they change."""

import torch
from transformers import AutoModelForCausalLM

from memloc.model import onednn
from memloc.model.loading import boot_bridge, load_bridge, load_for_editing, load_for_inference, load_model
from memloc.settings.loading import Loading


def test_model_for_inference_is_packed_and_the_same(folder):
    model, packed = load_model(folder), load_for_inference(folder)
    layers = [module for module in packed.modules() if isinstance(module, onednn.OneDnnLinear)]
    assert layers and all(layer.packed is not None for layer in layers)
    tokens = torch.randint(64, (3, 20))
    with torch.no_grad():
        torch.testing.assert_close(packed(tokens).logits, model(tokens).logits, rtol=1e-5, atol=1e-5)


def test_model_for_edits_has_its_rounded_weights_in_single_precision_also_when_it_is_saved(folder, tmp_path):
    rounded, edited = (
        load(folder, Loading(device="cpu", dtype="bfloat16")) for load in (load_model, load_for_editing)
    )
    for name, weight in rounded.named_parameters():
        assert torch.equal(edited.get_parameter(name), weight.float())
        assert edited.get_parameter(name).dtype == torch.float32
    edited.save_pretrained(tmp_path)
    again = AutoModelForCausalLM.from_pretrained(tmp_path, dtype="auto")
    assert again.dtype == torch.float32


def test_bridge_has_the_models_own_weights_and_logits(folder):
    tokens = torch.arange(20).reshape(2, 10)
    model = load_model(folder)
    logits = model(tokens).logits
    weights = sorted(weight.double().sum().item() for weight in model.parameters())
    bridge = load_bridge(folder)
    torch.testing.assert_close(bridge(tokens), logits, atol=1e-5, rtol=0)
    assert sorted(weight.double().sum().item() for weight in bridge.original_model.parameters()) == weights
    assert bridge.tokenizer.convert_tokens_to_ids("t5") == 5


def test_bridge_of_a_model_in_memory_needs_no_tokenizer(folder):
    tokens = torch.arange(20).reshape(2, 10)
    model = load_model(folder)
    logits = model(tokens).logits
    torch.testing.assert_close(boot_bridge(model)(tokens), logits, atol=1e-5, rtol=0)
