"""Every analysis runs on a local model of another family.

The model is tiny, but it has memorized paragraphs: it is trained on some of the study's.
"""

import json

import numpy as np
import pytest
import torch
from jobs import made, settings
from transformers import AutoModelForCausalLM

from memloc.data.drawn import docstrings
from memloc.data.tokenizer import train_tokenizer
from memloc.model.token_text import decoded
from read_tables import read
from tiny_models import TINY

LENGTH, N_REPEATED, N_PARAGRAPHS = 24, 12, 60
FIGURES = ("fig4", "fig6", "fig10", "fig11", "fig5")


def cut(documents: list[list[int]]) -> np.ndarray:
    """Distinct paragraphs of tokenised documents, in their order."""
    starts = [(ids, start) for ids in documents for start in range(0, len(ids) - LENGTH + 1, LENGTH)]
    return np.array(list(dict.fromkeys(tuple(ids[start : start + LENGTH]) for ids, start in starts)))


def trained(rows: np.ndarray, n_tokens: int) -> torch.nn.Module:
    """A tiny Llama that was trained on the rows."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config, batch = TINY["llama"]().config, torch.from_numpy(rows)
    config.vocab_size = n_tokens
    model = AutoModelForCausalLM.from_config(config)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(300):
        optimiser.zero_grad()
        model(batch, labels=batch).loss.backward()
        optimiser.step()
    return model.eval()


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What all analyses' scripts make of a local model that knows some paragraphs."""
    folder = tmp_path_factory.mktemp("llama")
    documents = docstrings("networkx")[:30]
    tokenizer = train_tokenizer(documents, 300)
    texts = decoded(torch.from_numpy(cut(tokenizer(documents)["input_ids"])[:N_PARAGRAPHS]), tokenizer)
    (folder / "text.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    model = trained(cut(tokenizer(texts)["input_ids"])[:N_REPEATED], len(tokenizer))
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    given = settings(
        study="llama",
        data={"source": "text", "files": [str(folder / "text.jsonl")]},
        model={"source": "local", "folder": str(folder / "model")},
        filters={"keywords": [], "min_unique": 0},
    )
    return made(folder, given, "tables", "edited_model", *FIGURES)


def test_the_repeated_paragraphs_are_memorized(results):
    assert json.loads((results / "model.json").read_text())["family"] == "llama"
    memorized = read(results, "sets").query("set == 'memorized'")["id"]
    assert memorized.tolist() == read(results, "paragraphs")["id"][:N_REPEATED].tolist()
