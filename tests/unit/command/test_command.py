"""Command `memloc`: words become a config and Snakemake's words, tables become an answer."""

import logging
from pathlib import Path

import pandas as pd
import pytest
import yaml

from memloc.command import __main__ as command
from memloc.command import answer
from memloc.run.rule import LOGS_ONLY
from memloc.settings.errors import validate


@pytest.fixture(autouse=True)
def _console_as_it_was(monkeypatch):
    """What the command does to it ends with the test."""
    monkeypatch.setenv(LOGS_ONLY, "")
    monkeypatch.setattr(logging.getLogger(command.LOGGER), "filters", [])


@pytest.fixture
def snakemake(monkeypatch, tmp_path):
    """Words that Snakemake is given, which does nothing; in a folder of its own, with text and a model."""
    given = []
    monkeypatch.chdir(tmp_path)
    for name in ("a.txt", "b.txt", "notes.md"):
        Path(name).touch()
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
        ("--stride 0", "--stride 0: must be at least 1"),
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
    assert ended("recite", "notes.md", "--model", "m").startswith(
        "TEXT: notes.md: a text file ends in .txt, "
    )
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
    options = ["--length", "60", "--prefix", "20", "--stride", "5", "--out", "mine"]
    assert ended("recite", "a.txt", "b.txt", "--model", "m", *options) == 0
    assert capsys.readouterr().out == "answer of results/mine\n"
    config = "results/mine/recite.yaml"
    (words,) = snakemake
    told = [logging.makeLogRecord({"levelno": level}) for level in (logging.INFO, logging.ERROR)]
    assert list(map(bool, map(logging.getLogger(command.LOGGER).filter, told))) == [False, True]
    assert words[:2] == ["--snakefile", str(Path(__file__).parents[3] / "Snakefile")]
    assert "recited" in words and "--quiet" not in words and words[-2:] == ["--configfile", config]
    settings = validate(yaml.safe_load(Path(config).read_text()), config)
    assert (settings.study, settings.paragraph.length, settings.paragraph.prefix) == ("mine", 60, 20)
    assert settings.data.files == ["a.txt", "b.txt"] and settings.data.stride == 5


def test_without_a_stride_the_answer_says_that_passages_between_paragraphs_are_missed(
    snakemake, monkeypatch, capsys
):
    monkeypatch.setattr(answer, "answer", lambda results: f"answer of {results}")
    assert ended("recite", "a.txt", "--model", "m") == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "Passages that begin between two paragraphs can be missed: --stride 10 finds more of them."
    ]


def test_what_fails_prints_no_answer(monkeypatch, snakemake):
    def fails(words):
        raise SystemExit(1)

    monkeypatch.setattr("snakemake.cli.main", fails)
    assert ended("recite", "a.txt", "--model", "m") == 1


def test_without_a_clone_the_command_says_what_it_needs(monkeypatch, tmp_path):
    monkeypatch.setattr(command, "SNAKEFILE", tmp_path / "Snakefile")
    assert "no workflow here: run `make` in a clone" in ended("recite", "a.txt", "--model", "m")


def tables(em, n_edits=()):
    """Paragraphs of 12 tokens, 8 of them prefix, side by side in two documents."""
    n = len(em)
    scores = pd.DataFrame({"em": em}).rename_axis("id").reset_index()
    places = pd.DataFrame({"id": range(n), "file": "a.txt", "document": [i // 2 for i in range(n)]})
    places = places.assign(start=[i % 2 * 12 for i in range(n)], line=[i % 2 * 3 + 1 for i in range(n)])
    passages = places.head(len(n_edits)).assign(n_edits=list(n_edits), prefix="a\nb " * 40)
    passages["continuation"] = "c\nd " * 40
    passages["verbatim_run"] = [9 - i if edits == 0 else 0 for i, edits in enumerate(n_edits)]
    dropped = pd.DataFrame({"id": [90], "reason": "few unique tokens"})
    decoded = scores[["id"]].assign(n_edits=[7, 5, 5, 9, 1, 1][:n] + [9] * (n - 6))
    made = {"scores": scores, "places": places, "recited": passages, "near_verbatim": decoded}
    return made | {"dropped_paragraphs": dropped}


def test_the_answer_lists_the_longest_passages_and_says_what_was_given_and_what_recited():
    lines = answer.told(tables([4] * 6 + [2, 0], n_edits=[0] * 6 + [2]), 12, 8).splitlines()
    assert lines[0].startswith("The model recites 6 of 8 paragraphs of 12 tokens: given the first 8")
    given, recited = f"\u2026 {'b a ' * 17}b", f"{'c d ' * 17}c \u2026"
    quoted = [f"    given    {given!r}", f"    recited  {recited!r}"]
    assert lines[1:4] == ["  9 tokens, a.txt, line 1", *quoted]
    assert lines[4] == "  8 tokens, a.txt, line 4"
    assert lines[16:] == [
        "  and 1 more, on the page",
        "Paragraphs that were left out (few unique tokens): 1.",
        "Passages that come out with a few edits: 1.",
    ]


def test_the_answer_says_where_the_model_was_given_a_word_in_part():
    found = tables([4], n_edits=[0])
    found["recited"] = found["recited"].assign(prefix="we spe", continuation="cified it all")
    lines = answer.told(found, 12, 8).splitlines()
    assert lines[2:4] == [
        "    given    '\u2026 spe'",
        "    recited  'cified it \u2026' (begins within a word)",
    ]


def test_where_nothing_is_recited_the_answer_names_the_nearest_as_the_figure_does():
    found = tables([0, 3, 1, 3])
    assert answer.told(found, 12, 8).splitlines() == [
        "The model recites 0 of 4 paragraphs of 12 tokens: given the first 8, it goes on with exactly the "
        "other 4.",
        "Paragraphs that were left out (few unique tokens): 1.",
        "The nearest is 5 edits (tokens added, cut or replaced) from the text: a.txt, line 4",
        "Nothing comes close: more than half of these 4 tokens differ.",
    ]
    nearly = answer.told(tables([0, 3, 1, 3], n_edits=[2]), 12, 8)
    assert "The nearest is 2 edits (tokens added, cut or replaced) from the text: a.txt, line 1" in nearly
    assert "Nothing comes close" not in nearly
