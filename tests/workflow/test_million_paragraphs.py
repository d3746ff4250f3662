"""A million paragraphs: memory is that of a hundred thousand, and a thousand shards are planned.

Run with `make stress`. Prints the peak memory of every rule.
"""

import json
import re
import shutil

import numpy as np
import pytest
import yaml

from memloc.data.embedded import train_tokenizer
from memloc.model import training
from memloc.tables import storage
from memloc.tables.schemas import schema_of

pytestmark = pytest.mark.stress

LENGTH, PREFIX = 20, 10
SIZES = (100_000, 1_000_000)
RULES = ("paragraphs", "dropped_paragraphs", "scores", "sets", "recited")
BYTES_PER_PARAGRAPH = 400  # that memory may grow by; a paragraph's tokens and text take 700 as Python objects
WORDS_PER_DOCUMENT = 2000
SHAPE = {"n_layers": 1, "n_heads": 4, "width": 32, "window": 64}


def documents(n_words):
    """Documents of random words; every tenth one comes twice."""
    random = np.random.default_rng(0)
    letters = np.array(list("aeionrstl"))
    words = np.array(["".join(random.choice(letters, size)) for size in random.integers(2, 9, 3000)])
    for number in range(n_words // WORDS_PER_DOCUMENT):
        text = " ".join(random.choice(words, WORDS_PER_DOCUMENT))
        for _ in range(1 + (number % 10 == 0)):
            yield text


@pytest.fixture(scope="module")
def project(clone, tmp_path_factory):
    """A project with a tiny random model and one config per size."""
    own = type(clone)(shutil.copytree(clone.folder, tmp_path_factory.mktemp("stress") / "project"))
    tokenizer = train_tokenizer(list(documents(20 * WORDS_PER_DOCUMENT)), 512)
    model = training.new_model(len(tokenizer), **SHAPE, seed=0)
    for part in (model, tokenizer):
        part.save_pretrained(own.folder / "model")
    n_tokens = len(tokenizer(next(documents(WORDS_PER_DOCUMENT)))["input_ids"])
    for size in SIZES:
        n_words = int(1.05 * size * LENGTH * WORDS_PER_DOCUMENT / n_tokens)
        with (own.folder / f"{size}.jsonl").open("w") as file:
            file.writelines(json.dumps({"text": text}) + "\n" for text in documents(n_words))
        config = {
            "study": f"n{size}",
            "data": {"source": "text", "files": [f"{size}.jsonl"]},
            "model": {"source": "local", "folder": "model"},
            "paragraph": {"length": LENGTH, "prefix": PREFIX},
            # Of a random model many logits are nearly tied.
            "micro_batch": 256,
            "scores": {"threads": 1, "margin_threshold": 1e-6},
            "filters": {"min_unique": 0.4},
        }
        (own.folder / f"{size}.yaml").write_text(yaml.safe_dump(config))
    return own


def peak_memory(project, size, capsys):
    """MiB that each rule of a finished study held at most, also shown to who waits."""
    found = {}
    for rule in RULES:
        log = (project.folder / f"results/n{size}/logs/{rule}.log").read_text()
        found[rule] = int(re.search(r"peak memory (\d+) MiB", log)[1])
        seconds = (project.folder / f"results/n{size}/benchmarks/{rule}.tsv").read_text().split()[10]
        with capsys.disabled():
            print(f"\n{size} paragraphs, {rule}: {found[rule]} MiB, {seconds} s", end="")
    return found


def test_memory_of_a_million_paragraphs(project, capsys):
    for size in SIZES:
        project.snakemake("--cores", "1", "recited", config=f"{size}.yaml")
        found = project.folder / f"results/n{size}/tables"
        n_paragraphs = len(storage.read(schema_of("paragraphs"), found / "paragraphs.parquet", ["id"]))
        assert n_paragraphs >= size
        assert len(storage.read(schema_of("scores"), found / "scores.parquet", ["id"])) > 0.9 * n_paragraphs
    few, many = (peak_memory(project, size, capsys) for size in SIZES)
    allowed = BYTES_PER_PARAGRAPH * (SIZES[1] - SIZES[0]) / 2**20
    assert {rule: many[rule] - few[rule] for rule in RULES if many[rule] - few[rule] > allowed} == {}


def test_a_thousand_shards_are_planned(project):
    jobs = project.jobs("all", "--config", "shards=1000", config=f"{SIZES[1]}.yaml")
    assert jobs["scores_shard"] == 1000
