"""Reading a model's folder: unusable ones are refused with a reason, and kernels change no number."""

import hashlib
import os
import re
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._pytree import tree_map_only
from transformers import GPTNeoForCausalLM
from transformers.activations import NewGELUActivation

from memloc.model import pretrained
from memloc.model.pretrained import (
    ModelError,
    answer_on_first_device,
    fuse_gelu,
    load_tokenizer,
    read_model,
    use_deterministic_algorithms,
    weights_sha256,
)
from memloc.model.subject import Subject
from memloc.scoring.losses import paragraph_nll
from memloc.settings.loading import Loading
from tiny_models import TINY, VOCABULARY, save_tokenizer


def test_fused_gelu_changes_logits_by_rounding_only(tiny_model, tiny_tokens):
    with torch.no_grad():
        before = tiny_model(tiny_tokens).logits
        fuse_gelu(tiny_model)
        after = tiny_model(tiny_tokens).logits
    assert torch.allclose(before, after, atol=1e-5)


def test_model_is_loaded_for_analysis(folder):
    model = read_model(folder)
    kinds = {type(module) for module in model.modules()}
    assert nn.GELU in kinds and NewGELUActivation not in kinds
    assert not model.training
    assert all(weight.requires_grad and weight.dtype == torch.float32 for weight in model.parameters())
    assert read_model(folder, Loading(device="cpu", dtype="bfloat16")).dtype == torch.bfloat16


def test_tokenizer_of_another_model(folder):
    """A smaller one is fine: published models often pad their embedding to a round number of rows."""
    save_tokenizer(folder, VOCABULARY - 4)
    assert len(load_tokenizer(folder)) == VOCABULARY - 4
    save_tokenizer(folder, VOCABULARY + 1)
    with pytest.raises(ModelError, match="go up to 64, but the model embeds 64 tokens"):
        load_tokenizer(folder)


def test_a_tokenizer_may_be_a_vocabulary_and_its_merges(folder):
    for file in folder.glob("*token*.json"):
        file.unlink()
    (folder / "vocab.json").write_text('{"a": 0, "b": 1, "ab": 2, "<|endoftext|>": 3}')
    (folder / "merges.txt").write_text("#version: 0.2\na b\n")
    assert load_tokenizer(folder)("abb")["input_ids"] == [2, 1]


def test_missing_weights_file(folder):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").touch()
    for read in (read_model, weights_sha256):
        with pytest.raises(ModelError, match=r"no \*\.safetensors file.*save_pretrained"):
            read(folder)


def edit_weights(folder, edit):
    weights = load_file(folder / "model.safetensors")
    edit(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize("wrong", [torch.nan, -torch.inf])
def test_weights_that_are_not_finite(folder, wrong):
    edit_weights(folder, lambda weights: weights["transformer.h.1.mlp.c_fc.weight"][3, 4].fill_(wrong))
    with pytest.raises(ModelError, match=r"transformer\.h\.1\.mlp\.c_fc\.weight holds NaN"):
        read_model(folder)


def test_weights_that_would_be_random(folder):
    edit_weights(folder, lambda weights: weights.pop("transformer.h.0.mlp.c_fc.weight"))
    with pytest.raises(ModelError, match=r"lack transformer\.h\.0\.mlp\.c_fc\.weight"):
        read_model(folder)


def test_hash_is_that_of_the_file_and_covers_every_shard(folder):
    content = (folder / "model.safetensors").read_bytes()
    assert weights_sha256(folder) == hashlib.sha256(content).hexdigest()
    GPTNeoForCausalLM.from_pretrained(folder).save_pretrained(folder, max_shard_size="10KB")
    shards = sorted(folder.glob("*.safetensors"))
    assert len(shards) > 1
    before = weights_sha256(folder)
    lines = [f"{hashlib.sha256(shard.read_bytes()).hexdigest()}  {shard.name}\n" for shard in shards]
    assert before == hashlib.sha256("".join(lines).encode()).hexdigest(), "of what `sha256sum *` prints"
    shards[-1].write_bytes(shards[-1].read_bytes()[:-1] + b"x")
    assert weights_sha256(folder) != before


@pytest.fixture
def placed(monkeypatch, folder):
    """Loads on pretended GPUs; returns the arguments of `from_pretrained`, with where layers came to lie."""

    def load(n_visible, layers_on=0, **loading):
        given = {}
        model = read_model(folder)
        model.hf_device_map = {"transformer.wte": 0, "transformer.wpe": 0, "transformer.h": layers_on}
        model.to = lambda place: given.update(moved_to=place)

        def from_pretrained(folder, **arguments):
            given.update(arguments)
            return model, {"missing_keys": set()}

        monkeypatch.setattr(torch.cuda, "is_available", lambda: n_visible > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: n_visible)
        monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", from_pretrained)
        read_model(folder, Loading(**loading))
        return given

    return load


def test_several_gpus_share_the_layers(placed):
    given = placed(2, layers_on=1, device="auto", gpus=2, dtype="bfloat16")
    assert given["device_map"] == "auto" and given["dtype"] == torch.bfloat16 and "moved_to" not in given


@pytest.mark.parametrize("gpus", [1, 2])
def test_one_device_holds_the_whole_model(placed, gpus):
    """Without a GPU, `gpus` of a study that also runs elsewhere is no error with device auto."""
    given = placed(0 if gpus == 2 else 1, device="auto", gpus=gpus)
    assert given["device_map"] is None and given["moved_to"] == ("cpu" if gpus == 2 else "cuda")


@pytest.mark.parametrize(
    ("gpus", "place", "said"),
    [(3, 0, "loading.gpus is 3, but this job sees 2 GPUs")]
    + [(2, place, "does not fit the memory of 2 GPUs") for place in ("cpu", "disk")],
)
def test_fewer_gpus_than_asked_for_or_needed(placed, gpus, place, said):
    with pytest.raises(ModelError, match=said):
        placed(2, layers_on=place, gpus=gpus, device="cuda")


def spread(model):
    """Put the last layer, the last norm and an unembedding of its own on another device, torch's "meta".

    Modules fetch their inputs, as those do that transformers spreads over GPUs.
    """
    base = dict(model.base_model.named_children())
    (layers,) = (module for module in base.values() if isinstance(module, nn.ModuleList))
    norm = list(base.values())[list(base.values()).index(layers) + 1]
    tied = model.config.tie_word_embeddings
    far = [layers[-1], norm] + ([] if tied else [model.get_output_embeddings()])
    far = {module for root in far for module in root.modules()}
    for module in far:
        weights = {key: weight for key, weight in module._parameters.items() if weight is not None}
        module._parameters |= {key: nn.Parameter(weight.to("meta")) for key, weight in weights.items()}
        module._buffers |= {key: buffer.to("meta") for key, buffer in module._buffers.items()}
    for module in {module for root in base.values() for module in root.modules()} | far:
        place = "meta" if module in far else "cpu"
        module.register_forward_pre_hook(
            lambda _, inputs, options, place=place: tree_map_only(
                torch.Tensor, lambda tensor: tensor.to(place), (inputs, options)
            ),
            with_kwargs=True,
        )


@pytest.mark.parametrize("family", TINY)
def test_a_model_on_several_devices_answers_on_the_first(family):
    """PyTorch pretends to compute but, as with GPUs, refuses tensors of two devices in one step."""
    with FakeTensorMode(allow_non_fake_inputs=True):
        model = TINY[family]()
        spread(model)
        tokens = torch.zeros(4, 12, dtype=torch.long)
        if not model.config.tie_word_embeddings:
            with pytest.raises(RuntimeError, match="same device"):
                paragraph_nll(Subject(model, 6), tokens)
        answer_on_first_device(model)
        paragraph_nll(Subject(model, 6), tokens).sum().backward()
        places = {weight.grad.device.type for weight in model.parameters() if weight.grad is not None}
        assert places == {"cpu", "meta"}


def test_kernels_are_deterministic_and_multiply_in_full_precision(monkeypatch):
    flags = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [each.allow_tf32 for each in flags]
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    try:
        for each in flags:
            each.allow_tf32 = True
        torch.use_deterministic_algorithms(False)
        use_deterministic_algorithms()
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.is_deterministic_algorithms_warn_only_enabled(), "some have no deterministic kernel"
        assert not any(each.allow_tf32 for each in flags)
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    finally:
        torch.use_deterministic_algorithms(False)
        for each, value in zip(flags, before, strict=True):
            each.allow_tf32 = value


def test_no_other_module_calls_private_parts_of_torch():
    library = Path(pretrained.__file__).parents[1]
    private = re.compile(r"torch(\.\w+)*\._[a-z]|torch\.ops\b")
    users = {path.stem for path in library.rglob("*.py") if private.search(path.read_text())}
    assert users == {"pretrained"}
