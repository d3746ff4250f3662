"""The private parts of torch that the library calls: what breaks when torch changes them."""

import re
from pathlib import Path

import torch

from memloc.model import pretrained
from memloc.model.pretrained import native_bfloat16


def test_processors_with_native_bfloat16_are_found(monkeypatch):
    for amx, avx in ((True, False), (False, True), (False, False)):
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda amx=amx: amx)
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda avx=avx: avx)
        assert native_bfloat16(torch.device("cpu")) == (amx or avx)


def test_no_other_module_calls_private_parts_of_torch():
    library = Path(pretrained.__file__).parents[1]
    private = re.compile(r"torch(\.\w+)*\._[a-z]|torch\.ops\b")
    users = {path.stem for path in library.rglob("*.py") if private.search(path.read_text())}
    assert users == {"pretrained"}
