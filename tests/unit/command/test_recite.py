"""Command `memloc recite`: what it runs, says, prints and ends with."""

import json
from pathlib import Path

import pytest
import yaml
from made_tables import frame_of

from memloc.command import __main__ as command
from memloc.command import recite
from memloc.command.answer import compared, lines
from memloc.run.errors import UserError
from memloc.tables import storage
from memloc.tables.columns import Lengths
from memloc.tables.schemas import schema_of

GIVEN = "in all".ljust(70, ".")
PREFIX = f"not {GIVEN}\n"
SPANS = {"start": [100, 300], "end": [150, 390], "first_character": [400, 1200], "end_character": [600, 1500]}


def write_results(folder, **passages):
    """Tables of a finished study in which something is recited."""
    stamp = {"paragraph": {"length": 100, "prefix": 50}, "model": {"name": "m"}}
    texts = {"unseen": [False, True], "n_tokens": [1000, 100], "n_recited": [140, 0], "n_short": 0}
    words = {"file": "a.txt", "line": [3, 8], "prefix": PREFIX, "continuation": ["one\nline", "two"]}
    frames = {"texts": texts, "recited": SPANS | words | {"count": 1, "at_once": [50, 90]} | passages}
    for name, columns in frames.items():
        (folder / "tables").mkdir(parents=True, exist_ok=True)
        frame = frame_of(name, Lengths(100, 50), **columns)
        storage.write(schema_of(name), frame, folder / f"tables/{name}.parquet", stamp)


@pytest.fixture(autouse=True)
def ran(monkeypatch, tmp_path):
    """Targets and settings of the runs, which write their results; questions are not checked."""
    done = []

    def run(config, targets, folders, say):
        done.append((targets, yaml.safe_load(config.read_text())))
        say("10 of 20 tokens, 3 s left")
        for number, folder in enumerate(folders):
            write_results(folder, **({"first_character": [700, 1200]} if number else {}))

    def config(texts, models, out=None, **_):
        sections = {name: {"source": "local", "folder": name} for name in models}
        one = {"model": sections[models[0]]} if len(models) == 1 else {"models": sections}
        return {"study": out or "named", **one, "paragraph": {"length": 100, "prefix": 50}}

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recite, "_run", run)
    monkeypatch.setattr(recite, "config_of", config)
    return done


def ended(*words):
    """What the command's process ends with."""
    with pytest.raises(SystemExit) as end:
        command.main(["recite", "a.txt", *words])
    return end.value.code


def test_a_reader_gets_the_answer_and_is_told_how_far_it_is(ran, capsys):
    assert ended("--model", "m") == 0
    out, err = capsys.readouterr()
    assert err.splitlines() == [
        "Asking m about a.txt; results appear in results/named/.",
        "10 of 20 tokens, 3 s left",
    ]
    assert out.splitlines() == [
        "The model recites 2 passages, the longest of 90 tokens: 14.0 % of 1,000 tokens.",
        "Of text that it cannot have seen: 0 passages, 0.0 % of 100 tokens.",
        "A passage is what the model goes on with: at least 50 tokens, word for word, given the 50 before "
        "them.",
        "  90 tokens, a.txt, line 8",
        f"    given    \u2026{GIVEN!r}",
        "    recited  'two'\u2026",
        "  50 tokens, a.txt, line 3",
        f"    given    \u2026{GIVEN!r}",
        "    recited  'one line'\u2026",
        "Page: results/named/figures/recited.html",
    ]
    ((targets, config),) = ran
    assert targets == ["results/named/tables/recited.parquet"] and config["model"]["folder"] == "m"
    assert "<p>Model: m.</p>" in Path("results/named/figures/recited.html").read_text()


def test_a_program_gets_one_object_and_a_caller_of_python_the_same(capsys):
    assert ended("--model", "m", "--json") == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert err == "" and found == recite.recite(["a.txt"], ["m"])
    assert (found["length"], found["prefix"]) == (100, 50)
    (model,) = found["models"]
    assert model["model"] == "m" and model["answer"][0].startswith("The model recites 2 passages")
    assert model["texts"][0] | {"n_tokens": 1000, "n_recited": 140, "share": 0.14} == model["texts"][0]
    first, _ = model["passages"]
    wanted = {"file": "a.txt", "document": 0, "line": 3, "start": 100, "end": 150, "occurrences": 1}
    wanted |= {"first_character": 400, "end_character": 600, "prefix": PREFIX, "continuation": "one\nline"}
    assert first | wanted == first and first["at_once"] == 50 and first["unseen"] is False


def test_the_status_says_whether_something_is_recited_where_that_is_asked(monkeypatch):
    assert ended("--model", "m", "--fail-on-recited") == 3
    monkeypatch.setattr(recite, "_run", lambda _, __, folders, ___: write_results(*folders, unseen=True))
    assert ended("--model", "m", "--fail-on-recited", "--out", "other") == 0, "of unseen text"


def test_two_models_are_compared_by_characters_and_each_has_its_own_folder(ran, capsys):
    assert ended("--model", "b", "--model", "a") == 0
    ((targets, config),) = ran
    assert targets == [f"results/named/{name}/tables/recited.parquet" for name in config["models"]]
    told = capsys.readouterr().out.splitlines()
    assert [line for line in told if line.startswith(("Model", "Page", "No other"))] == [
        "Model b",
        "No other model recites any of this:",
        "Page: results/named/b/figures/recited.html",
        "Model a",
        "No other model recites any of this:",
        "Page: results/named/a/figures/recited.html",
    ]
    places = [told[at + 1] for at, line in enumerate(told) if line.startswith("No other")]
    assert places == ["  50 tokens, a.txt, line 3"] * 2
    assert len(told) == 2 * (1 + 3 + 6 + 1 + 3 + 1)


def passage(first, end, file="a.txt", document=0):
    place = {"file": file, "document": document, "place": file, "start": first, "end": end}
    return place | {"first_character": first, "end_character": end, "prefix": "p", "continuation": "c"}


def test_only_passages_that_share_a_character_are_of_both_models():
    own = [passage(0, 10), passage(20, 30), passage(40, 50), passage(60, 70)]
    other = [passage(10, 20), passage(29, 31), passage(40, 50, "b.txt"), passage(60, 70, document=1)]
    one, two = compared([{"passages": own}, {"passages": other}])
    assert [each["alone"] for each in one["passages"]] == [True, False, True, True]
    assert [each["alone"] for each in two["passages"]] == [True, False, True, True]


@pytest.mark.parametrize(("alone", "said"), [([True, True], 1), ([False, False], 0), ([True, False], 1)])
def test_what_no_other_model_recites_is_told_apart(alone, said):
    passages = [passage(0, 10) | {"alone": each} for each in alone]
    told = lines([{"model": "m", "answer": ["Said."], "passages": passages, "page": "p"}])
    assert sum(line.startswith("No other model") for line in told) == said
    assert len(told) == 1 + 6 + said + 3 * sum(alone) * said + 1


def test_the_longest_passages_come_first_and_others_are_counted():
    passages = [passage(0, 50 + number) for number in range(6)]
    told = lines([{"model": "m", "answer": ["Said."], "passages": passages, "page": "p"}])
    assert [line for line in told if "tokens," in line] == [f"  {55 - n} tokens, a.txt" for n in range(5)]
    assert told[-2] == "  and 1 more, on the page"


def test_another_question_never_replaces_an_answer(capsys):
    assert ended("--model", "m", "--out", "mine") == 0 and ended("--model", "m", "--out", "mine") == 0
    before = Path("results/mine/recite.yaml").read_text()
    capsys.readouterr()
    assert ended("--model", "other", "--out", "mine") == 2
    assert capsys.readouterr().err == "--out mine: results/mine holds something else; choose another name\n"
    assert Path("results/mine/recite.yaml").read_text() == before
    assert before.splitlines()[0] == (
        f"# snakemake -s {recite.SNAKEFILE} --cores all results/mine/tables/recited.parquet "
        "--configfile results/mine/recite.yaml"
    )


def test_without_a_clone_the_command_says_what_it_needs(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(recite, "SNAKEFILE", tmp_path / "Snakefile")
    assert ended("--model", "m") == 1
    assert "no workflow here: run `make` in a clone" in capsys.readouterr().err


def test_who_stops_it_is_told_that_it_goes_on(monkeypatch, capsys):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(recite, "_run", stopped)
    assert ended("--model", "m") == 130
    assert capsys.readouterr().err.splitlines()[-1].endswith("the same command goes on from there.")


@pytest.mark.parametrize(
    ("console", "reason"),
    [
        (
            "x\nresults/a/logs/passages.log: [09:00:01] ERROR: a.txt: no text\nShutting down\n",
            "a.txt: no text",
        ),
        ("results/a/logs/model.log: KeyError: 'a'\nmore\n", "KeyError: 'a'"),
        ("something\nconfig: wrong key\n\n", "config: wrong key"),
        ("", "it ended without a word"),
    ],
)
def test_a_failure_ends_with_its_reason(console, reason):
    assert recite._reason(console) == reason


def test_what_jobs_log_of_how_far_they_are_is_said_once(tmp_path):
    log, said, known = tmp_path / "passages.log", [], set()
    recite._follow([log], known, said.append)
    log.write_text("[10:00:00] rule passages, 2 threads\n[10:00:01] reading the text\n")
    recite._follow([log], known, said.append)
    with log.open("a") as file:
        file.write("[10:00:09] 5 of 9 tokens, 3 s left\n[10:00:12] peak memory 9 MiB\n")
    recite._follow([log], known, said.append)
    assert said == ["reading the text", "5 of 9 tokens, 3 s left"]
    log.write_text("[10:01:00] reading the text\n")
    recite._follow([log], known, said.append)
    assert len(said) == 3, "of the next run"


def test_a_run_that_fails_raises_its_reason(monkeypatch, tmp_path):
    """The workflow is a module of this folder."""
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    Path("snakemake.py").write_text(
        "import sys\nassert sys.argv[3:5] == ['--cores', 'all']\nsys.exit('why' if sys.argv[5] == 'b' else 0)"
    )
    recite._run(Path("c.yaml"), ["a"], [], print)
    with pytest.raises(UserError, match="why"):
        recite._run(Path("c.yaml"), ["b"], [], print)
