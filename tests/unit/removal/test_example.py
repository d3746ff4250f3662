"""The example of docs/planting.md: ways that act while a model decodes, outside of the workflow."""

import re
from pathlib import Path

import pandas as pd
import pytest
import torch
from made_tables import STAMP
from transformers import GPT2Config, GPT2LMHeadModel

from memloc.tables import storage
from memloc.tables.schemas import schema_of

PAGE = Path(__file__).parents[3] / "docs/planting.md"
OPTIONS = {"max_new_tokens": 50, "min_new_tokens": 50, "do_sample": False, "pad_token_id": 0}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Results of a study of a model that recites every paragraph: their continuations are its own."""
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(n_embd=16, n_head=4, n_layer=4, vocab_size=64, initializer_range=0.3))
    prefix = torch.randint(64, (60, 50), generator=torch.Generator().manual_seed(1))
    frame = pd.DataFrame({"id": range(60), "count": 1, "unseen": False, "held_out": False, "text": "made"})
    frame["continuation_count"] = pd.array([1] * 60, dtype="Int64")
    frame[["whole_count", "cut_count", "near_count", "longest_run", "file", "line"]] = None
    frame["tokens"] = model.eval().generate(prefix, **OPTIONS).tolist()
    (tmp_path / "results/mini/tables").mkdir(parents=True)
    model.save_pretrained(tmp_path / "results/mini/model")
    stamp = STAMP | {"paragraph": {"length": 100, "prefix": 50}}
    storage.write(schema_of("paragraphs"), frame, tmp_path / "results/mini/tables/paragraphs.parquet", stamp)
    monkeypatch.chdir(tmp_path)


def test_the_example_of_the_page_runs(place, capsys):
    (block,) = re.findall(r"(?ms)^```python\n(# PYTHONPATH.*?)^```", PAGE.read_text())
    exec(block, {})
    said = dict(re.findall(r"(\w+) still recites (\d+)", capsys.readouterr().out))
    assert list(said) == ["ngram_blocklist", "steering", "heads"]
    assert said["ngram_blocklist"] == "0" and all(int(n) < 20 for n in said.values())
