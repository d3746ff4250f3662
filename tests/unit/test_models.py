"""Loading: the bridge computes what Hugging Face computes; unusable folders are refused with a reason."""

import hashlib

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models
from transformers import GPTNeoConfig, GPTNeoForCausalLM, PreTrainedTokenizerFast

from memloc.models import (
    ModelError,
    boot_bridge,
    load_bridge,
    load_model,
    load_tokenizer,
    resolve_device,
    weights_sha256,
)

VOCABULARY = 64


def save_tokenizer(folder, n_tokens=VOCABULARY):
    vocabulary = {f"t{token}": token for token in range(n_tokens)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="t0"))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="t0").save_pretrained(folder)


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    config = GPTNeoConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        num_layers=2,
        num_heads=2,
        intermediate_size=32,
        attention_types=[[["global", "local"], 1]],
        max_position_embeddings=32,
        window_size=32,
    )
    GPTNeoForCausalLM(config).save_pretrained(tmp_path)
    save_tokenizer(tmp_path)
    return tmp_path


def test_model_is_loaded_for_analysis(folder):
    model = load_model(folder)
    assert not model.training
    assert all(weight.requires_grad and weight.dtype == torch.float32 for weight in model.parameters())
    assert load_model(folder, dtype="bfloat16").dtype == torch.bfloat16


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


def test_missing_tokenizer(folder):
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match="no tokenizer .*save the model's tokenizer"):
        load_bridge(folder)


def test_tokenizer_of_another_model(folder):
    save_tokenizer(folder, VOCABULARY + 1)
    with pytest.raises(ModelError, match="go up to 64, but the model embeds 64 tokens"):
        load_tokenizer(folder)


def test_smaller_tokenizer_is_fine(folder):
    """Published models often pad their embedding to a round number of rows."""
    save_tokenizer(folder, VOCABULARY - 4)
    assert len(load_tokenizer(folder)) == VOCABULARY - 4


def test_missing_weights_file(folder):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").touch()
    for read in (load_model, weights_sha256):
        with pytest.raises(ModelError, match=r"no \*\.safetensors file.*save_pretrained"):
            read(folder)


def edit_weights(folder, edit):
    weights = load_file(folder / "model.safetensors")
    edit(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def test_weights_that_are_not_finite(folder):
    edit_weights(folder, lambda weights: weights["transformer.h.1.mlp.c_fc.weight"][3, 4].fill_(torch.nan))
    with pytest.raises(ModelError, match=r"transformer\.h\.1\.mlp\.c_fc\.weight holds NaN"):
        load_model(folder)


def test_weights_that_would_be_random(folder):
    edit_weights(folder, lambda weights: weights.pop("transformer.h.0.mlp.c_fc.weight"))
    with pytest.raises(ModelError, match=r"lack transformer\.h\.0\.mlp\.c_fc\.weight"):
        load_model(folder)


def test_hash_is_that_of_the_file(folder):
    content = (folder / "model.safetensors").read_bytes()
    assert weights_sha256(folder) == hashlib.sha256(content).hexdigest()


def test_hash_covers_every_shard(folder):
    GPTNeoForCausalLM.from_pretrained(folder).save_pretrained(folder, max_shard_size="10KB")
    shards = sorted(folder.glob("*.safetensors"))
    assert len(shards) > 1
    before = weights_sha256(folder)
    shards[-1].write_bytes(shards[-1].read_bytes()[:-1] + b"x")
    assert weights_sha256(folder) != before


def test_device():
    assert resolve_device("cpu").type == "cpu"
    if torch.cuda.is_available():
        assert resolve_device("auto").type == resolve_device("cuda").type == "cuda"
    else:
        assert resolve_device("auto").type == "cpu"
        with pytest.raises(ModelError, match="no GPU"):
            resolve_device("cuda")
