"""A wrong config gives one message: file, key path, what was given, what is allowed."""

import pytest
from made_configs import LARGE, SMALL, VALID, message

from memloc.settings import errors
from memloc.settings.errors import ConfigError, validate

CHECKPOINTS = {"model": ..., "data": {"source": "text", "files": ["a.txt"]}}
LOCAL, OTHER = ({"source": "local", "folder": folder} for folder in ("one", "other"))


@pytest.mark.parametrize(
    ("changes", "path", "parts"),
    [
        ({"scroes": {}}, "scroes", ["unknown key", "scores", "paragraph"]),
        ({"scores": {"batch": 3}}, "scores.batch", ["unknown key", "threads", "margin_threshold"]),
        ({"model": {"source": "embedded", "id": "a/b"}}, "model.id", ["unknown key", "n_layers", "width"]),
        ({"data": {"source": "release", "n_once": 3}}, "data.n_once", ["unknown key", "location"]),
        (
            {"data": {"source": "release", "allow_http": True}},
            "data.allow_http",
            ["is now network.allow_http"],
        ),
        ({"model": {"source": "hub", "endpoint": "x"}}, "model.endpoint", ["is now network.endpoint"]),
        ({"highlight": {"layer": 0, "head": 1, "x": 1}}, "highlight.x", ["unknown key", "head, layer"]),
        ({"scores": {"micro_batch": 3}}, "scores.micro_batch", ["is now micro_batch"]),
        ({"attention": {"micro_batch": 3}}, "attention.micro_batch", ["is now micro_batch"]),
        ({"editing": {"reference": False}}, "editing.reference", ["is now reference"]),
        ({"reference": ["scores"]}, "reference.0", ['given "scores"', "'all', 'filters'"]),
        ({"scores": {"threads": "many"}}, "scores.threads", ['given "many"', "integer"]),
        ({"scores": {"threads": "3"}}, "scores.threads", ['given "3"', "integer"]),
        ({"seed": True}, "seed", ["given true", "integer"]),
        ({"seed": 1.5}, "seed", ["given 1.5", "integer"]),
        ({"scores": 3}, "scores", ["given 3", "section with keys margin_threshold, threads"]),
        ({"data": "embedded"}, "data", ['given "embedded"', "section with keys", "source"]),
        ({"filters": {"keywords": "href"}}, "filters.keywords", ['given "href"', "list"]),
        ({"micro_batch": 0}, "micro_batch", ["given 0", "greater than or equal to 1"]),
        ({"micro_batch": True}, "micro_batch", ["given true", "integer"]),
        ({"filters": {"min_unique": 1.5}}, "filters.min_unique", ["given 1.5", "less than or equal to 1"]),
        ({"loading": {"device": "tpu"}}, "loading.device", ['given "tpu"', "'auto', 'cpu' or 'cuda'"]),
        ({"loading": {"device": "cpu", "gpus": 2}}, "loading", ["gpus above 1 need device auto or cuda"]),
        ({"study": "../b"}, "study", ['given "../b"', "pattern"]),
        ({"study": "a/b/c"}, "study", ['given "a/b/c"', "pattern"]),
        ({"model": {"source": "hub", "sha256": "12"}}, "model.sha256", ['given "12"', "pattern"]),
        ({"model": {"source": "embedded", "width": 30}}, "model", ["30", "multiple of n_heads"]),
        ({"paragraph": {"prefix": 100}}, "paragraph", ['given {"prefix": 100}', "smaller than length"]),
        (
            {"highlight": "first"},
            "highlight",
            ['given "first"', "'auto', or a section with keys head, layer"],
        ),
        ({"highlight": {"layer": -1, "head": 0}}, "highlight.layer", ["given -1", "greater than or equal"]),
        ({"highlight": {"layer": 1}}, "highlight.head", ["missing"]),
        ({"study": ...}, "study", ["missing"]),
        ({"data": ...}, "data", ["missing"]),
        ({"model": ...}, "(top level)", ["one of model (a section) and models (several, by name)"]),
        ({"model": {"source": "local"}}, "model.folder", ["missing"]),
        ({"data": {}}, "data.source", ["missing", '"embedded"', '"release"']),
        ({"data": {"source": "pile"}}, "data.source", ['given "pile"', '"embedded"', '"release"']),
        ({"data": {"source": "release"}}, "(top level)", ["embedded model is trained on embedded data"]),
        (
            {"data": {"source": "release"}, "model": {"source": "planted"}},
            "(top level)",
            ["planted model is trained on embedded data"],
        ),
        (
            {"data": {"source": "embedded", "min_repeats": 9, "max_repeats": 8}},
            "data",
            ["min_repeats must not exceed max_repeats"],
        ),
        (
            {"model": {"source": "hub"}},
            "(top level)",
            ["hub model is trained", "data.source to text, tokens or rel"],
        ),
        (
            {"model": {"source": "local", "folder": "x"}},
            "(top level)",
            ["local model is trained", "model.source to embedded"],
        ),
        (
            {"data": {"source": "release"}, "model": {"source": "hub"}, "paragraph": {"length": 60}},
            "(top level)",
            ["paragraph.length: paragraphs of 60 tokens are not published"],
        ),
        (
            {"data": {"source": "release", "retokenize": {"length": 120}}, "model": {"source": "hub"}},
            "(top level)",
            ["data.retokenize.length: paragraphs of 120 tokens are not published"],
        ),
        ({"data": {"source": "tokens"}}, "data.files", ["missing"]),
        ({"data": {"source": "tokens", "files": []}}, "data.files", ["given []", "at least 1 item"]),
        ({"data": {"source": "tokens", "files": ["a.npy"], "field": "x"}}, "data.field", ["unknown key"]),
        (
            {"data": {"source": "tokens", "files": ["https://me:secret@host/a.npy"]}},
            "data.files.0",
            ["HF_TOKEN"],
        ),
        (
            {"data": {"source": "text", "files": ["b.txt"], "checksums": {"b.txt": "0" * 64}}},
            "data",
            ["checksums: no address ends in b.txt"],
        ),
        (
            CHECKPOINTS | {"models": {"a": LOCAL | {"step": 3}, "b": OTHER | {"step": 3}}},
            "(top level)",
            ["step: all of models have different steps, or none has one"],
        ),
        (
            CHECKPOINTS | {"models": {"a": LOCAL | {"step": 3}, "b": OTHER}},
            "(top level)",
            ["step: all of models have different steps, or none has one"],
        ),
        (
            CHECKPOINTS | {"models": {"a": LOCAL | {"step": 3}, "b": LOCAL | {"step": 4}}},
            "(top level)",
            ["these models are the same: a, b"],
        ),
        ({"model": {"source": "planted", "package": "x"}}, "model.package", ['given "x"', "pattern"]),
        ({"model": {"source": "planted", "package": "-r==1"}}, "model.package", ["pattern"]),
        ({"model": {"source": "planted", "file": "../a.gguf"}}, "model.file", ["pattern"]),
        ({"model": {"source": "planted", "sha256": None}}, "model.sha256", ["given null", "valid string"]),
        (
            {"planted_truth": {"kinds": {"neurons": 0.01}, "n_neurons": 1025}},
            "(top level)",
            ["planted_truth.n_neurons: a layer of the model has 1024"],
        ),
        (
            {"planted_truth": {"n_checked_neurons": 5000}},
            "(top level)",
            ["planted_truth.n_checked_neurons: the model has 4096"],
        ),
        (
            {"model": {"source": "embedded", "n_layers": 1}, "planted_truth": {"kinds": {"two_heads": 0.01}}},
            "(top level)",
            ["planted_truth.kinds: two_heads needs a model of two layers or more"],
        ),
        (
            {"head_ranking": {"weighted": True}, "planted_truth": {"kinds": {"neurons": 0.01}}},
            "(top level)",
            ["head_ranking.weighted needs planted heads: name one of head_all, head_vo, two_heads"],
        ),
        ({"remove": {"ways": ["svd", "top", "svd"]}}, "remove.ways", ["listed more than once: svd"]),
        ({"remove": {"ids": [3, 3]}}, "remove.ids", ["listed more than once: 3"]),
        ({"remove": {"ids": [3], "files": ["x.txt"]}}, "remove", ["by ids or by files, not by both"]),
        ({"remove": {"files": ["http://x.org/a.txt"]}}, "remove", ["http://x.org/a.txt is an address"]),
        (
            {"edit_model": {"ids": [3, 1580]}},
            "(top level)",
            ["edit_model.ids: 1580 is not among the paragraphs of data, 0 to 1579"],
        ),
        ({"edit_model": {"way": "svd"}}, "edit_model", ["way svd needs setting"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_message_names_file_key_given_and_allowed(changes, path, parts):
    text = message(**changes)
    assert text.startswith(f"config/mine.yaml: {path}: ")
    assert len(text.splitlines()) == 1
    for part in parts:
        assert part in text


@pytest.mark.parametrize(
    ("models", "path", "parts"),
    [
        ({}, "models", ["given {}", "at least 2"]),
        ({"a": SMALL}, "models", ["at least 2"]),
        ([SMALL, LARGE], "models", ["dictionary"]),
        ({"a_b": SMALL, "b": LARGE}, "models.a_b", ['given "a_b"', "pattern"]),
        ({"../a": SMALL, "b": LARGE}, "models.../a", ["pattern"]),
        ({"a": {"source": "embedded", "id": "x"}, "b": LARGE}, "models.a.id", ["unknown key", "n_layers"]),
        ({"a": {"source": "embedded", "width": "x"}, "b": LARGE}, "models.a.width", ['given "x"', "integer"]),
        ({"a": {"source": "local"}, "b": LARGE}, "models.a.folder", ["missing"]),
        ({"a": {"source": "pile"}, "b": LARGE}, "models.a.source", ['given "pile"', '"planted" or "hub"']),
        ({"a": {}, "b": LARGE}, "models.a.source", ["missing"]),
        ({"a": 3, "b": LARGE}, "models.a", ["given 3", "section with keys"]),
        ({"figures": SMALL, "b": LARGE}, "(top level)", ["named like a folder of the study: figures"]),
        ({"a": SMALL, "b": LARGE, "c": SMALL}, "(top level)", ["the same: a, c"]),
        (
            {"a": {"source": "hub"}, "b": {"source": "hub", "sha256": "0" * 64}},
            "(top level)",
            ["the same: a, b"],
        ),
        (
            {"a": {"source": "planted"}, "b": {"source": "planted", "batch": 3}},
            "(top level)",
            ["the same: a, b"],
        ),
        ({"seed-1": SMALL, "b": LARGE}, "(top level)", ["named like a seed of a study: seed-1"]),
        ({"a": SMALL | {"seed": 1}, "b": SMALL | {"seed": 1}}, "(top level)", ["the same: a, b"]),
        ({"a": SMALL, "b": LARGE | {"context": 99}}, "(top level)", ["context must hold a paragraph"]),
    ],
    ids=str,
)
def test_messages_name_the_model_of_several(models, path, parts):
    text = message(model=..., models=models)
    assert text.startswith(f"config/mine.yaml: {path}: ")
    assert len(text.splitlines()) == 1
    for part in parts:
        assert part in text


def test_every_wrong_key_has_its_line():
    lines = message(seed=-1, threads=0, scores={"x": 1}).splitlines()
    assert [line.split(": ")[1] for line in lines] == ["seed", "threads", "scores.x"]


@pytest.mark.parametrize("config", [None, [], "study"])
def test_a_config_that_is_no_mapping_is_explained(config):
    with pytest.raises(ConfigError, match="f: .top level.: given .*; allowed: a section with keys"):
        validate(config, "f")


def test_a_long_value_is_shortened():
    assert len(message(loading="x" * 5000)) < 300


@pytest.mark.parametrize(
    "data",
    [
        {"source": "release", "retokenize": {"length": 150}},
        {"source": "release", "location": "folder/of/files"},
        {"source": "text", "files": ["a.txt"]},
        {"source": "tokens", "files": ["a.npy"]},
    ],
)
def test_paragraphs_of_any_length_where_they_are_cut_here_or_lie_in_a_folder(data):
    config = {"study": "x", "data": data, "model": {"source": "hub"}, "paragraph": {"length": 60}}
    assert errors.validate(config, "config/mine.yaml").paragraph.length == 60


PLANTED = {"kinds": {"neurons": 0.01, "two_heads": 0.01}, "controls": []}


@pytest.mark.parametrize(
    "changes",
    [
        {"planted_truth": PLANTED | {"n_neurons": 1024, "n_checked_neurons": 4096}},
        {
            "planted_truth": PLANTED | {"n_neurons": 9, "n_plants": 325, "tries": 2},
            "model": {"source": "embedded", "n_layers": 2},
        },
        {"edit_model": {"ids": [0, 1579]}, "remove": {"ids": [1579]}},
        {"sets": {"n_non_memorized": 10}, "editing": {"n_controls": 10}, "contrastive": {"n_controls": 10}},
        {"paragraph": {"length": 256, "prefix": 255}},
        {"data": {"source": "embedded", "min_repeats": 9, "max_repeats": 9}},
        {"loading": {"device": "cpu", "gpus": 1}},
        {"loading": {"device": "cuda", "gpus": 2}},
        {"filters": {"min_unique": 1}, "min_k": {"percent": 100}, "editing": {"fraction": 1}},
        {"edit_model": {"setting": 0.1}},
        {"seed": 3, "seeds": [0, 1]},
        {"edit_model": {"way": "svd", "setting": 0.1}},
    ],
    ids=str,
)
def test_what_lies_at_a_limit_is_allowed(changes):
    """Of embedded data with 400 + 7,000 + 500 paragraphs, and a model whose layers have 1,024 neurons."""
    validate(VALID | changes, "f")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"planted_truth": PLANTED | {"n_plants": 3751, "tries": 2}}, "needs 7502 paragraphs"),
        ({"planted_truth": {"kinds": {"neurons": 0.01}, "n_plants": 2501, "tries": 2}}, "needs 7503 paragr"),
        ({"remove": {"ids": [1580]}}, "remove.ids: 1580 is not among the paragraphs of data, 0 to 1579"),
        ({"editing": {"n_controls": 51}}, "editing.n_controls must not exceed sets.n_non_memorized"),
        ({"contrastive": {"n_controls": 51}}, "contrastive.n_controls must not exceed"),
        ({"edit_model": {"n_controls": 51}}, "edit_model.n_controls must not exceed"),
        ({"paragraph": {"length": 257, "prefix": 50}}, "model.context must hold a paragraph"),
        ({"min_k": {"percent": 0}}, "greater than 0"),
    ],
    ids=str,
)
def test_what_lies_just_beyond_it_is_not(changes, said):
    assert said in message(**changes)


def test_a_published_length_is_needed_of_downloads_and_not_of_retokenized_text():
    release = {"study": "x", "model": {"source": "hub"}, "data": {"source": "release"}}
    for length in (100, 150, 500):
        validate(release | {"paragraph": {"length": length}}, "f")
    retokenized = {"source": "release", "retokenize": {"length": 500}}
    validate(release | {"data": retokenized, "paragraph": {"length": 61, "prefix": 50}}, "f")
    with pytest.raises(ConfigError, match="paragraphs of 550 tokens are not published"):
        validate(release | {"paragraph": {"length": 550}}, "f")
