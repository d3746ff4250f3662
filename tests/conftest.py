"""Tiny random models of every supported family, in single precision.

Half of the tests need no torch: fixtures that do import it themselves.
"""

import copy
import os
from typing import TYPE_CHECKING

# Before the libraries are imported: on these sizes, their threads do little but wait for each other, at full
# speed, and take the core of the other process. Scripts of a run get the number of their rule.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from playwright.sync_api import Browser
    from transformers import PreTrainedModel


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Models of all families: of each kind of modules, or of those that are built like Llama, too."""
    own = {name for mark in metafunc.definition.iter_markers("parametrize") for name in mark.args[:1]}
    for name in {"tiny_model", "any_model"} & {*metafunc.fixturenames} - own:
        from tiny_models import LLAMA_LIKE, TINY

        families = TINY if name == "tiny_model" else TINY | LLAMA_LIKE
        metafunc.parametrize(name, list(families), indirect=True, scope="function")


def _tiny(family: str) -> "PreTrainedModel":
    import torch

    from tiny_models import LLAMA_LIKE, TINY

    torch.set_num_threads(1)
    torch.manual_seed(0)
    return (TINY | LLAMA_LIKE)[family]().eval()


def _drawn(n: int, shape: tuple[int, ...], seed: int) -> "torch.Tensor":
    """Random tokens below `n`."""
    import torch

    return torch.randint(n, shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """A running Chromium."""
    import browser as browsers

    if reason := browsers.install():
        pytest.skip(f"NO PAGE IS OPENED: Chromium cannot be installed here, {reason}")
    with browsers.chromium() as running:
        yield running


@pytest.fixture
def tiny_model(request: pytest.FixtureRequest) -> "PreTrainedModel":
    """A tiny model of each family in turn."""
    return _tiny(request.param)


@pytest.fixture
def any_model(request: pytest.FixtureRequest) -> "PreTrainedModel":
    """A tiny model of each family in turn, and of those that are built like Llama."""
    return _tiny(request.param)


@pytest.fixture
def tiny_gpt_neo() -> "PreTrainedModel":
    return _tiny("gpt_neo")


@pytest.fixture
def tiny_gpt2() -> "PreTrainedModel":
    return _tiny("gpt2")


@pytest.fixture
def tiny_gpt_neox() -> "PreTrainedModel":
    return _tiny("gpt_neox")


@pytest.fixture
def tiny_llama() -> "PreTrainedModel":
    return _tiny("llama")


@pytest.fixture
def tiny_tokens() -> "torch.Tensor":
    """Seven random paragraphs of 12 tokens."""
    return _drawn(64, (7, 12), seed=1)


@pytest.fixture(scope="session")
def memorized_tokens() -> "torch.Tensor":
    """Twelve paragraphs of 24 tokens that `memorizing_model` knows by heart."""
    return _drawn(64, (12, 24), seed=2)


@pytest.fixture
def disturbed(memorized_tokens: "torch.Tensor") -> "torch.Tensor":
    """240 memorized paragraphs with one to three tokens of the prefix (12 tokens) replaced at random."""
    tokens = memorized_tokens.repeat(20, 1)
    rows = list(range(240))
    for n in range(3):
        where, new = _drawn(12, (240,), seed=n), _drawn(64, (240,), seed=10 + n)
        changed = rows[80 * n :]
        tokens[changed, where[changed]] = new[changed]
    return tokens


@pytest.fixture(scope="session")
def _trained_on_memorized_tokens(memorized_tokens: "torch.Tensor") -> "PreTrainedModel":
    import torch
    from transformers import GPTNeoConfig, GPTNeoForCausalLM

    from tiny_models import SPREAD

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
def memorizing_model(_trained_on_memorized_tokens: "PreTrainedModel") -> "PreTrainedModel":
    """A GPT-Neo that was trained to continue `memorized_tokens`; local attention sees 8 tokens."""
    return copy.deepcopy(_trained_on_memorized_tokens)
