"""Every analysis runs on a local model of every other family, and its numbers are the plain model's.

The models are tiny, but they have memorized paragraphs: they are trained on some of the study's.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from jobs import ROOT, made
from plain_decoding import matching, mean_nll
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from memloc.data.drawn import docstrings
from memloc.data.release import retokenized
from memloc.data.tokenizer import train_tokenizer
from memloc.model.token_text import decoded
from read_tables import read
from tiny_models import LLAMA_LIKE, TINY

LENGTH, N_PREFIX, N_REPEATED, N_PARAGRAPHS = 24, 12, 12, 60
N_PUBLISHED = 40  # tokens of a published paragraph, from which others are cut
FIGURES = ("fig4", "fig6", "fig10", "fig11", "editing_robustness")
OTHERS = [pytest.param(family, marks=pytest.mark.stress) for family in ("gpt2", "gpt_neox")]


def cut(documents: list[list[int]], length: int) -> np.ndarray:
    """Distinct paragraphs of tokenised documents, in their order."""
    starts = [(ids, start) for ids in documents for start in range(0, len(ids) - length + 1, length)]
    return np.array(list(dict.fromkeys(tuple(ids[start : start + length]) for ids, start in starts)))


def published(
    folder: Path, documents: list[str], tokenizer: PreTrainedTokenizerFast
) -> tuple[dict, np.ndarray]:
    """Data settings of a release in the tokens of another tokenizer, and its paragraphs in this one's."""
    original = train_tokenizer(documents, 400)
    original.save_pretrained(folder / "original")
    config = TINY["gpt2"]().config
    config.vocab_size = len(original)
    config.save_pretrained(folder / "original")
    rows = cut(original(documents)["input_ids"], N_PUBLISHED)[:N_PARAGRAPHS]
    counts = np.arange(1, len(rows) + 1)
    np.save(folder / f"prompts_{N_PUBLISHED}.npy", rows)
    np.save(folder / f"counts_{N_PUBLISHED}.npy", counts)
    texts = decoded(torch.from_numpy(rows), original)
    frame = pd.DataFrame({"id": range(len(rows)), "count": counts, "tokens": list(rows), "text": texts})
    retokenize = {"length": N_PUBLISHED, "folder": str(folder / "original")}
    data = {"source": "release", "location": str(folder), "retokenize": retokenize}
    return data, np.stack(retokenized(frame, tokenizer, LENGTH)["tokens"])


def own_text(
    folder: Path, documents: list[str], tokenizer: PreTrainedTokenizerFast
) -> tuple[dict, np.ndarray]:
    """Data settings of a text source, and its paragraphs."""
    rows = cut(tokenizer(documents)["input_ids"], LENGTH)[:N_PARAGRAPHS]
    texts = decoded(torch.from_numpy(rows), tokenizer)
    (folder / "text.jsonl").write_text("".join(json.dumps({"text": document}) + "\n" for document in texts))
    data = {"source": "text", "files": [str(folder / "text.jsonl")]}
    return data, cut(tokenizer(texts)["input_ids"], LENGTH)


def trained(family: str, rows: np.ndarray, n_tokens: int, steps: Sequence[int]) -> Iterator[torch.nn.Module]:
    """A tiny model at these steps of a training on the rows."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config, batch = (TINY | LLAMA_LIKE)[family]().config, torch.from_numpy(rows)
    config.vocab_size = n_tokens
    model = AutoModelForCausalLM.from_config(config)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for step in range(max(steps) + 1):
        if step in steps:
            yield model
        optimiser.zero_grad()
        model(batch, labels=batch).loss.backward()
        optimiser.step()


def plain_scores(model: torch.nn.Module, rows: np.ndarray, n_prefix: int) -> tuple[torch.Tensor, ...]:
    """NLL and EM of the continuations of paragraphs, from one pass of the model itself."""
    tokens = torch.from_numpy(rows)
    with torch.no_grad():
        logits = model(tokens).logits[:, n_prefix - 1 : -1].float()
    return mean_nll(model, tokens, n_prefix), matching(logits.argmax(dim=-1), tokens[:, n_prefix:])


@dataclass(frozen=True)
class Study:
    """A finished study of one family."""

    family: str
    model: torch.nn.Module
    folder: Path

    def table(self, name: str) -> pd.DataFrame:
        return read(self.folder, name)


@pytest.fixture(scope="module", params=["llama", *OTHERS])
def study(request, tmp_path_factory):
    """What all analyses' scripts make of a local model that knows some paragraphs; that of GPT-NeoX has
    published text, cut anew."""
    family, folder = request.param, tmp_path_factory.mktemp(request.param)
    documents = docstrings("networkx")[:30]
    tokenizer = train_tokenizer(documents, 300)
    data, rows = (published if family == "gpt_neox" else own_text)(folder, documents, tokenizer)
    model = next(trained(family, rows[:N_REPEATED], len(tokenizer), [300])).eval()
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    settings = yaml.safe_load((ROOT / "config/test.yaml").read_text()) | {
        "study": family,
        "paragraph": {"length": LENGTH, "prefix": N_PREFIX},
        "data": data,
        "model": {"source": "local", "folder": str(folder / "model")},
        "filters": {"keywords": [], "min_unique": 0},
        "remove": {"ways": []},  # the model knows every paragraph
    }
    return Study(family, model, made(folder, settings, "tables", "edited_model", *FIGURES))


def test_the_repeated_paragraphs_are_memorized(study):
    assert json.loads((study.folder / "model.json").read_text())["family"] == study.family
    memorized = study.table("sets").query("set == 'memorized'")["id"]
    assert memorized.tolist() == study.table("paragraphs")["id"][:N_REPEATED].tolist()


def test_scores_are_the_plain_models(study):
    rows = study.table("scores").merge(study.table("paragraphs"), on="id")
    nll, matches = plain_scores(study.model, np.stack(rows["tokens"]), N_PREFIX)
    np.testing.assert_allclose(rows["nll"], nll.numpy(), rtol=1e-4, atol=1e-6)
    decided = rows["margin"] > 1e-3
    assert (rows["em"][decided] == matches.numpy()[decided]).all() and decided.mean() > 0.9
