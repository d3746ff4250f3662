"""The private parts of torch that `memloc.model.onednn` calls: what breaks when torch changes them."""

import re
from pathlib import Path

import pytest
import torch

from memloc.model import onednn
from memloc.model.onednn import native_bfloat16


def test_processors_with_native_bfloat16_are_found(monkeypatch):
    for amx, avx in ((True, False), (False, True), (False, False)):
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda amx=amx: amx)
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda avx=avx: avx)
        assert native_bfloat16(torch.device("cpu")) == (amx or avx)


@pytest.mark.parametrize(
    ("built", "maker", "fast"),
    [(True, "GenuineIntel", True), (True, "AuthenticAMD", False), (False, "GenuineIntel", False)],
)
def test_mkl_is_fast_on_processors_by_intel(built, maker, fast, monkeypatch):
    monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: built)
    monkeypatch.setattr(onednn.Path, "exists", lambda _: True)
    monkeypatch.setattr(onednn.Path, "read_text", lambda _: f"vendor_id\t: {maker}\n")
    assert onednn.mkl_is_fast.__wrapped__() == fast


# What `onednn` calls, with the arguments that it gives. Where torch has others, the operator's new arguments
# belong in `product` or `pack`, and then here.
OPERATORS = {
    "_linear_pointwise": "Tensor X, Tensor W, Tensor? B, str attr, Scalar?[] scalars, str? algorithm",
    "_reorder_linear_weight": "Tensor self, int? batch_size=None",
}


@pytest.mark.parametrize("name", OPERATORS)
def test_private_operators_of_torch_take_what_they_took(name):
    if not torch.backends.mkldnn.is_available():
        pytest.skip("this torch is built without oneDNN")
    signature = str(getattr(torch.ops.mkldnn, name).default._schema)
    assert signature == f"mkldnn::{name}({OPERATORS[name]}) -> Tensor Y"


def test_no_other_module_calls_private_parts_of_torch():
    library = Path(onednn.__file__).parents[1]
    private = re.compile(r"torch(\.\w+)*\._[a-z]|torch\.ops\b")
    users = {path.stem for path in library.rglob("*.py") if private.search(path.read_text())}
    assert users == {"onednn"}
