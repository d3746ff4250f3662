"""Command `memloc`: words become a config and Snakemake's words, tables become an answer."""

from pathlib import Path

import pytest
import yaml
from made_tables import frame_of

from memloc.command import __main__ as command
from memloc.command import answer
from memloc.settings.errors import validate


@pytest.fixture
def snakemake(monkeypatch, tmp_path):
    """Words that Snakemake is given, which does nothing; in a folder of its own, with text and a model."""
    given = []
    monkeypatch.chdir(tmp_path)
    for name in ("a.txt", "b.txt", "notes.md"):
        Path(name).write_text("text")
    Path("m").mkdir()
    monkeypatch.setattr("snakemake.cli.main", given.append)
    return given


def ended(*words):
    """What the command's process ends with."""
    with pytest.raises(SystemExit) as end:
        command.main(words)
    return end.value.code


def config_of(*words):
    """The config of what the command is asked."""
    return command._config(command._parser().parse_args(["recite", "--model", "m", *words]))


def test_a_question_is_a_study_of_what_differs_from_the_defaults():
    config = config_of("texts/My book.txt", "b", "--model", "folder")
    assert config == {
        "study": "My-book",
        "data": {"source": "text", "files": ["texts/My book.txt", "b"]},
        "model": {"source": "local", "folder": "folder"},
        "paragraph": {"length": 100, "prefix": 50},
        "filters": {"keywords": []},
    }
    assert validate(config, "")


@pytest.mark.parametrize(
    ("given", "paragraph"),
    (
        ("--length 60", {"length": 60, "prefix": 30}),
        ("--prefix 20", {"length": 100, "prefix": 20}),
        ("--length 60 --prefix 50", {"length": 60, "prefix": 50}),
    ),
)
def test_half_of_a_paragraph_is_prefix_where_it_is_not_given(given, paragraph):
    assert config_of("a.txt", *given.split())["paragraph"] == paragraph


@pytest.mark.parametrize(
    ("given", "said"),
    (
        ("--prefix 60 --length 50", "--prefix 60: must be from 1 to 49, since --length is 50"),
        ("--prefix 100", "--prefix 100: must be from 1 to 99, since --length is 100"),
        ("--prefix 0", "--prefix 0: must be from 1 to 99, since --length is 100"),
        ("--out ../x", "--out ../x: must be a letter or digit, then also dots, - and _ (no path)"),
        ("--out a/b", "--out a/b: must be a letter or digit, then also dots, - and _ (no path)"),
        (
            "--model lab/m",
            "--model lab/m: no such folder; one of the Hugging Face hub needs a config with `source: hub` "
            "(docs/own-text.md)",
        ),
    ),
)
def test_what_cannot_be_used_is_named_before_anything_starts_or_is_written(snakemake, given, said):
    before = {*Path().iterdir()}
    assert ended("recite", "a.txt", "--model", "m", *given.split()) == said
    assert ended("recite", "none.md", "--model", "m").startswith("TEXT: none.md: no such file or folder")
    assert snakemake == [] and {*Path().iterdir()} == before


@pytest.mark.parametrize(
    ("text", "study"),
    (("a.b.txt", "a"), ("..", "text"), ("*.txt", "text"), ("x/y/", "y"), ("-é_.txt", "text")),
)
def test_a_study_is_named_after_its_first_text(text, study):
    config = config_of("--", text)
    assert config["study"] == study and validate(config, "")


def test_recite_writes_a_config_runs_the_workflow_and_prints_the_answer(snakemake, monkeypatch, capsys):
    monkeypatch.setattr(answer, "answer", lambda results: f"answer of {results}")
    options = ["--length", "60", "--prefix", "20", "--out", "mine"]
    assert ended("recite", "a.txt", "b.txt", "--model", "m", *options) == 0
    assert capsys.readouterr().out == "answer of results/mine\n"
    config = "results/mine/recite.yaml"
    (words,) = snakemake
    assert words[:2] == ["--snakefile", str(Path(__file__).parents[3] / "Snakefile")]
    assert "recited" in words and "--quiet" not in words and words[-2:] == ["--configfile", config]
    settings = validate(yaml.safe_load(Path(config).read_text()), config)
    assert (settings.study, settings.paragraph.length, settings.paragraph.prefix) == ("mine", 60, 20)
    assert settings.data.files == ["a.txt", "b.txt"]


def test_what_fails_prints_no_answer(monkeypatch, snakemake):
    def fails(words):
        raise SystemExit(1)

    monkeypatch.setattr("snakemake.cli.main", fails)
    assert ended("recite", "a.txt", "--model", "m") == 1


def test_without_a_clone_the_command_says_what_it_needs(monkeypatch, tmp_path):
    monkeypatch.setattr(command, "SNAKEFILE", tmp_path / "Snakefile")
    assert "no workflow here: run `make` in a clone" in ended("recite", "a.txt", "--model", "m")


def test_the_answer_lists_the_longest_passages_and_says_what_was_given_and_what_recited():
    spans = {"start": [100, 300, 500, 700, 900, 1100], "line": [1, 4, 9, 12, 15, 18]}
    texts = {"prefix": "a\nb " * 40, "continuation": "c\nd " * 40}
    found = frame_of("recited", file="a.txt", end=[150, 390, 560, 755, 950, 1151], **spans, **texts)
    lines = answer.longest(found)
    assert lines[:3] == [
        "  90 tokens, a.txt, line 4",
        f"    given    \u2026{('a b ' * 18)[1:-1][-70:]!r}",
        f"    recited  {('c d ' * 18)[:70]!r}\u2026",
    ]
    assert [line.split()[-1] for line in lines[::3]] == ["4", "9", "12", "18", "1", "page"]
    assert lines[-1] == "  and 1 more, on the page" and len(answer.longest(found[:2])) == 6
