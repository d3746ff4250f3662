"""What `memloc recite` is asked becomes a config, or a line that says what is wrong with it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from http_server import FileServer
from memloc.command.question import config_of, short_name
from memloc.run.errors import InputError
from memloc.settings.errors import validate

FILES = dict.fromkeys(("config.json", "tokenizer.json", "model.safetensors"), b"{}")
TEXT = "some words that are no secret " * 100


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with texts, and a model that takes 200 tokens."""
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")  # A test names "..", which then holds nothing of other tests.
    Path("texts").mkdir()
    for name in ("texts/My book.txt", "b.md", "new.txt"):
        Path(name).write_text(TEXT)
    for name in ("lab/small", "lab/large"):
        Path(name).mkdir(parents=True)
        shape = {"model_type": "gpt2", "n_positions": 200}
        Path(name, "config.json").write_text(json.dumps(shape))
        Path(name, "model.safetensors").touch()
        tokenizer = Tokenizer(models.WordLevel({"a": 0}, unk_token="a"))
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        tokenizer.save(f"{name}/tokenizer.json")


@pytest.fixture
def hub(monkeypatch):
    with FileServer() as server:
        monkeypatch.setattr("memloc.settings.running.Network", lambda: SimpleNamespace(endpoint=server.url))
        monkeypatch.setattr("memloc.command.question.PATIENCE", None)
        yield server


def asked(texts=("b.md",), models=("lab/small",), **more):
    return config_of(list(texts), list(models), **more)


def test_a_question_is_a_study_of_what_differs_from_the_defaults():
    config = asked(["texts/My book.txt", "b.md"], unseen=["new.txt"], encoding="latin-1", length=200)
    study = config.pop("study")
    assert study.startswith("My-book-lab-small-") and config == {
        "data": {
            "source": "text",
            "files": ["texts/My book.txt", "b.md"],
            "unseen": ["new.txt"],
            "encoding": "latin-1",
        },
        "model": {"source": "local", "folder": "lab/small"},
        "paragraph": {"length": 200, "prefix": 100},
        "filters": {"keywords": []},
    }
    assert validate({"study": study, **config}, "")


def test_several_models_are_models_of_one_study_and_some_are_of_the_hub(hub):
    hub.publish("EleutherAI/pythia-70m", FILES, "step1000")
    hub.publish("gpt/two", FILES, "main")
    config = asked(models=["lab/small", "EleutherAI/pythia-70m@step1000", "gpt/two"])
    assert config["models"] == {
        "lab-small": {"source": "local", "folder": "lab/small"},
        "EleutherAI-pythia-70m-step1000": {
            "source": "hub",
            "id": "EleutherAI/pythia-70m",
            "revision": "step1000",
        },
        "gpt-two": {"source": "hub", "id": "gpt/two", "revision": "main"},
    }
    assert validate(config, "")


def test_a_model_that_the_hub_does_not_give_is_told_before_anything_runs(hub, monkeypatch):
    def told():
        with pytest.raises(InputError) as error:
            asked(models=["lab/tiny@v1"])
        said = str(error.value)
        assert said.startswith("--model lab/tiny") and said.endswith(", or set HF_TOKEN")
        return said

    assert "expected the model, got: 404 Not Found" in told()
    hub.publish("lab/tiny", {"config.json": b"{}"}, "v1")
    assert "expected tokenizer.json" in told()
    monkeypatch.setattr("memloc.settings.running.Network", lambda: SimpleNamespace(endpoint=stopped.url))
    with FileServer() as stopped:
        pass
    assert "Connection refused" in told()
    answers = Event()
    monkeypatch.setattr("memloc.data.hub.listed", lambda *_: answers.wait())
    monkeypatch.setattr("memloc.command.question.PATIENCE", 0)
    assert "the hub does not answer" in told()
    answers.set()


def test_a_model_that_was_downloaded_needs_no_hub(hub):
    here = Path("resources/models/lab--tiny@main")
    here.parent.mkdir(parents=True)
    Path("lab/small").rename(here)
    assert asked(models=["lab/tiny"])["model"] == {"source": "hub", "id": "lab/tiny", "revision": "main"}
    with pytest.raises(InputError, match="--length 201: above the 200 positions of --model lab/tiny"):
        asked(models=["lab/tiny"], length=201)
    assert not hub.requests


@pytest.mark.parametrize(
    ("given", "prefix"), [({"length": 60}, 30), ({"prefix": 20}, 20), ({"length": 60, "prefix": 50}, 50)]
)
def test_half_of_a_paragraph_is_prefix_where_it_is_not_given(given, prefix):
    assert asked(**given)["paragraph"] == {"length": given.get("length", 100), "prefix": prefix}


def test_every_question_has_a_folder_of_its_own():
    questions = [
        {},
        {"models": ["lab/large"]},
        {"length": 60},
        {"unseen": ["new.txt"]},
        {"texts": ["new.txt"]},
    ]
    names = [asked(**each)["study"] for each in questions]
    assert len(set(names)) == len(names) and names[0] == asked()["study"]
    assert asked(out="mine")["study"] == "mine"
    for text in ("..", "*.txt", "texts/", "b.md"):
        assert validate(asked([text]), "")


def test_a_model_is_named_by_the_last_parts_of_its_path():
    Path("results/mini/model").mkdir(parents=True)
    assert short_name("results/mini/model") == short_name(f"{Path.cwd()}/results/mini/model/") == "mini-model"
    assert short_name("org/name@v1") == "org-name-v1"


def spoiled(name, content):
    Path(name).write_bytes(content)
    return name


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"texts": ["none.md"]}, "TEXT: none.md: no such file or folder; correct the path"),
        ({"texts": ["blank"]}, "TEXT: 0 tokens; give longer text"),
        ({"texts": ["empty"]}, "TEXT: empty: empty; give text"),
        ({"texts": ["b.md"], "unseen": ["empty"]}, "--unseen: empty: empty; give text"),
        ({"texts": ["latin"]}, "latin: not utf-8 text ('utf-8' codec can't decode byte 0xe9"),
        ({"texts": ["packed.gz"]}, "packed.gz, line 1: damaged from here on"),
        ({"texts": ["rows.jsonl"]}, "rows.jsonl, line 1: no text in 'text'"),
        ({"unseen": ["rows.jsonl"]}, "rows.jsonl, line 1: no text in 'text'"),
        ({"texts": ["few"]}, "TEXT: 20 tokens; give longer text, or a lower --length than 100"),
        ({"texts": ["notes"]}, "TEXT: 90 tokens; give longer text, or a lower --length than 100"),
        ({"encoding": "utf-9"}, "utf-9: no encoding that Python knows; utf-8 and latin-1 are"),
        ({"prefix": 100}, "--prefix 100: must be from 1 to 99"),
        ({"length": 1}, "--length 1: must be at least 2"),
        ({"prefix": 0}, "--prefix 0: must be from 1 to 99"),
        ({"length": 201}, "--length 201: above the 200 positions of --model lab/small"),
        ({"out": "../x"}, "--out ../x: must be a letter or digit, then also dots, - and _ (no path)"),
        ({"models": ["nothing"]}, "--model nothing: no such folder, and no name of the hub"),
        ({"models": ["./nothing"]}, "--model ./nothing: no such folder, and no name of the hub"),
        ({"models": ["texts"]}, "--model texts: no config.json in it"),
        ({"models": ["bare"]}, "--model bare: no *.safetensors in it"),
        ({"models": ["odd"]}, "--model odd: "),
        ({"models": ["lab/small", "./lab/small"]}, "--model: lab/small and ./lab/small have one name"),
    ],
)
def test_what_cannot_be_used_is_told_in_the_words_of_the_command(given, said):
    for name in ("bare", "odd", "notes"):
        Path(name).mkdir()
    for name in ("bare", "odd"):
        Path(name, "config.json").write_text('{"model_type": "odd"}')
    Path("odd/model.safetensors").touch()
    Path("odd/tokenizer.json").touch()
    for number in range(30):
        spoiled(f"notes/{number}.md", b"word " * 90)
    spoiled("empty", b"")
    spoiled("blank", b" \n")
    spoiled("latin", "café".encode("latin-1") * 999)
    spoiled("packed.gz", b"no archive" * 9999)
    spoiled("rows.jsonl", b"{}\n" * 9999)
    spoiled("few", b"a few words that are " * 4)
    with pytest.raises(InputError) as error:
        asked(**given)
    told = str(error.value)
    assert told.startswith(said) and "\n" not in told
    assert not [name for name in ("paragraph.", "data.", "model.folder") if name in told]


def test_texts_of_another_encoding_and_few_tokens_can_be_used_when_that_is_said():
    spoiled("latin", "café ".encode("latin-1") * 999)
    spoiled("few", b"a few words that are " * 4)
    assert asked(["latin"], encoding="latin-1") and asked(["few"], length=20)


def test_a_question_is_checked_without_libraries_that_take_long_to_import():
    code = "import sys; from memloc.command.question import config_of; config_of(['b.md'], ['lab/small'])"
    code += "; print(*{'torch', 'transformers', 'pandas', 'snakemake'} & {*sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, "\n"), run.stderr
