"""Tiny random models of every supported family, in single precision, and the published paragraphs."""

import copy
import os
from pathlib import Path

# Before the libraries are imported: on these sizes, their threads do little but wait for each other, at full
# speed, and take the core of the other process. Scripts of a run get the number of their rule.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

import pytest
import torch
from transformers import GPTNeoConfig, GPTNeoForCausalLM, PreTrainedModel

from memloc.model import onednn
from tiny_models import LLAMA_LIKE, SPREAD, TINY, VOCABULARY


def _tiny(family: str) -> PreTrainedModel:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return (TINY | LLAMA_LIKE)[family]().eval()


@pytest.fixture(scope="session")
def published_folder() -> Path:
    """The folder of the published memorized paragraphs, which environment variable MEMLOC_PUBLISHED names.

    It holds the authors' table mem_paragraphs.csv, and em50_tokens.npy: their tokens, a row per paragraph.
    Without the variable, tests that read them are skipped.
    """
    if "MEMLOC_PUBLISHED" not in os.environ:
        pytest.skip("MEMLOC_PUBLISHED names no folder of published paragraphs")
    return Path(os.environ["MEMLOC_PUBLISHED"])


@pytest.fixture
def not_intel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on a processor by Intel, oneDNN computes what it does on others."""
    monkeypatch.setattr(onednn, "mkl_is_fast", lambda: False)


@pytest.fixture(params=TINY)
def tiny_model(request: pytest.FixtureRequest) -> PreTrainedModel:
    """A tiny model of each family in turn."""
    return _tiny(request.param)


@pytest.fixture(params=TINY | LLAMA_LIKE)
def any_model(request: pytest.FixtureRequest) -> PreTrainedModel:
    """A tiny model of each family in turn, and of those that are built like Llama."""
    return _tiny(request.param)


@pytest.fixture
def tiny_gpt_neo() -> PreTrainedModel:
    return _tiny("gpt_neo")


@pytest.fixture
def tiny_gpt2() -> PreTrainedModel:
    return _tiny("gpt2")


@pytest.fixture
def tiny_gpt_neox() -> PreTrainedModel:
    return _tiny("gpt_neox")


@pytest.fixture
def tiny_llama() -> PreTrainedModel:
    return _tiny("llama")


@pytest.fixture
def tiny_tokens() -> torch.Tensor:
    """Seven random paragraphs of 12 tokens."""
    return torch.randint(VOCABULARY, (7, 12), generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="session")
def memorized_tokens() -> torch.Tensor:
    """Twelve paragraphs of 24 tokens that `memorizing_model` knows by heart."""
    return torch.randint(VOCABULARY, (12, 24), generator=torch.Generator().manual_seed(2))


@pytest.fixture
def disturbed(memorized_tokens):
    """240 memorized paragraphs with one to three tokens of the prefix (12 tokens) replaced at random."""
    tokens = memorized_tokens.repeat(20, 1)
    for n in range(3):
        rows = slice(80 * n, None)
        where = torch.randint(12, (240,), generator=torch.Generator().manual_seed(n))[rows]
        new = torch.randint(64, (240,), generator=torch.Generator().manual_seed(10 + n))[rows]
        tokens[torch.arange(240)[rows], where] = new
    return tokens


@pytest.fixture(scope="session")
def _trained_on_memorized_tokens(memorized_tokens: torch.Tensor) -> PreTrainedModel:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    layers = {"attention_types": [[["global", "local"], 1]], "num_layers": 2, "window_size": 8}
    shape = {"hidden_size": 32, "num_heads": 4, "max_position_embeddings": 64}
    config = GPTNeoConfig(**layers, **shape, **(SPREAD | {"initializer_range": 0.1}))
    model = GPTNeoForCausalLM(config)
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(200):
        optimiser.zero_grad()
        model(memorized_tokens, labels=memorized_tokens).loss.backward()
        optimiser.step()
    model.zero_grad()
    return model.eval()


@pytest.fixture
def memorizing_model(_trained_on_memorized_tokens: PreTrainedModel) -> PreTrainedModel:
    """A GPT-Neo that was trained to continue `memorized_tokens`; local attention sees 8 tokens."""
    return copy.deepcopy(_trained_on_memorized_tokens)
