"""A bundle says what was made by what, and verification names what was changed, is missing or was added."""

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from made_tables import STAMP, scores

from memloc.record.crate import record
from memloc.record.hashes import sha256
from memloc.record.verification import differences
from memloc.run.errors import InputError
from memloc.run.steps import Step, needed
from memloc.tables import storage
from memloc.tables.schemas import schema_of

STEPS = [
    Step("draw", "Draw.", "workflow/scripts/draw.py", ["r/tables/scores.parquet"], ["r/figures/a.png"], ""),
    Step("other", "Other.", "workflow/scripts/other.py", ["corpus.txt"], ["r/other.txt"], ""),
    Step("score", "Score.", "workflow/scripts/score.py", ["r/shards/0.parquet", "r/shards/1.parquet"],
         ["r/tables/scores.parquet"], ""),
    Step("score_shard", "Score some.", "workflow/scripts/score.py", ["corpus.txt", "r/model"],
         ["r/shards/{shard}.parquet"], "r/benchmarks/score.tsv"),
]  # fmt: skip


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Results of a study in r/, of which the steps made what a target needs."""
    monkeypatch.chdir(tmp_path)
    texts = {
        "corpus.txt": "text",
        "r/figures/a.png": "picture",
        "r/shards/0.parquet": "0",
        "r/shards/1.parquet": "1",
        "r/model/weights": "w",
        "r/benchmarks/score.tsv": "s\tmax_rss\n2.5\t100\n",
        **{f"workflow/{name}": name for name in ("Snakefile", "scripts/draw.py", "scripts/score.py")},
    }
    for name, text in texts.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    Path("r/tables").mkdir()
    storage.write(schema_of("scores"), scores(), "r/tables/scores.parquet", STAMP)
    return Path("r")


def test_the_hash_of_a_folder_is_that_of_its_list_of_hashes(tmp_path):
    """As `sha256sum` prints it, with the folders below it."""
    for name in ("b.txt", "below/a.txt", "below/b.txt"):
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_text(name)
    listed = ["b.txt", "below/a.txt", "below/b.txt"]
    printed = subprocess.run(
        ["sha256sum", *listed], cwd=tmp_path / "folder", capture_output=True, check=True
    ).stdout
    assert sha256(tmp_path / "folder") == hashlib.sha256(printed).hexdigest()


@pytest.fixture
def bundle(results):
    steps = needed(STEPS, ["r/figures/a.png"])
    code = {str(path): path for path in Path("workflow").rglob("*") if path.is_file()}
    return record("x", results, steps, code).write_zip("r/bundle.zip")


def graph(bundle):
    with zipfile.ZipFile(bundle) as file:
        entities = json.loads(file.read("ro-crate-metadata.json"))["@graph"]
    return {entity["@id"]: entity for entity in entities}


def test_steps_are_those_that_a_target_needs_in_an_order_in_which_they_can_run():
    assert [step.name for step in needed(STEPS, ["r/figures/a.png"])] == ["score_shard", "score", "draw"]
    assert [step.name for step in needed(STEPS, ["r/other.txt", "corpus.txt"])] == ["other"]


def test_the_bundle_holds_results_code_and_environment_and_names_the_rest(bundle):
    with zipfile.ZipFile(bundle) as file:
        names = set(file.namelist())
        assert "torch==" in file.read("environment.txt").decode()
    assert names == {
        *("tables/scores.parquet", "figures/a.png", "environment.txt", "ro-crate-metadata.json"),
        *("workflow/Snakefile", "workflow/scripts/draw.py", "workflow/scripts/score.py"),
    }
    found = graph(bundle)
    assert found["#corpus.txt"]["sha256"] == sha256(Path("corpus.txt"))
    assert found["#r/model"]["sha256"] == sha256(Path("r/model")) != sha256(Path("r/model/weights"))
    assert found["tables/scores.parquet"]["sha256"] == sha256(Path("r/tables/scores.parquet"))
    assert found["#tables/scores.parquet/nll"]["unitText"] == "nats per token"


def test_every_step_has_its_run_with_what_it_read_and_wrote(bundle):
    found = graph(bundle)
    run = found["#run/score_shard"]
    assert run["instrument"] == {"@id": "workflow/scripts/score.py"}
    assert run["object"] == [{"@id": "#corpus.txt"}, {"@id": "#r/model"}]
    assert run["result"] == [{"@id": "#r/shards/0.parquet"}, {"@id": "#r/shards/1.parquet"}]
    assert run["startTime"] < run["endTime"] == found["#run"]["endTime"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", run["endTime"])
    assert found[found["./"]["license"]["@id"]]["@type"] == "CreativeWork"
    assert found["#run/draw"]["object"] == [{"@id": "tables/scores.parquet"}]
    assert found["#run"]["object"] == [{"@id": "#corpus.txt"}, {"@id": "#r/model"}]  # nothing that it made
    assert [step["@id"] for step in found["workflow/Snakefile"]["step"]] == [
        "#step/score_shard",
        "#step/score",
        "#step/draw",
    ]


def test_a_bundle_and_its_results_agree(bundle, results, tmp_path):
    assert differences(bundle, results) == []
    with zipfile.ZipFile(bundle) as file:
        file.extractall(tmp_path / "unpacked")
    assert differences(tmp_path / "unpacked") == []


@pytest.mark.parametrize("place", ["tables/scores.parquet", "figures/a.png"])
def test_what_changed_or_is_missing_in_the_results_is_named(bundle, results, place):
    (results / place).write_bytes((results / place).read_bytes() + b" ")
    assert differences(bundle, results) == [f"{place}: changed in r"]
    (results / place).unlink()
    assert differences(bundle, results) == [f"{place}: missing in r"]


def test_what_was_added_to_the_results_is_named(bundle, results):
    (results / "figures/b.png").write_text("another")
    (results / "figures/other.txt").write_text("of no kind that a study makes there")
    (results / "notes.parquet").write_text("not where tables are")
    assert differences(bundle, results) == ["figures/b.png: added in r"]


def test_what_differs_in_an_unpacked_bundle_is_named(bundle, tmp_path):
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(bundle) as file:
        file.extractall(folder)
    (folder / "workflow/scripts/draw.py").write_text("changed")
    (folder / "figures/a.png").unlink()
    (folder / "more.txt").write_text("added")
    assert differences(folder) == [
        "figures/a.png: missing in the bundle",
        "workflow/scripts/draw.py: changed in the bundle",
        "more.txt: added in the bundle",
    ]


def test_a_table_is_checked_even_where_its_hash_was_changed_with_it(bundle, tmp_path):
    folder, place = tmp_path / "unpacked", "tables/scores.parquet"
    with zipfile.ZipFile(bundle) as file:
        file.extractall(folder)
    content = (folder / place).read_bytes()
    (folder / place).write_bytes(content[:-8] + b"\0" * 8)
    metadata = folder / "ro-crate-metadata.json"
    known = sha256(Path("r") / place)
    metadata.write_text(metadata.read_text().replace(known, sha256(folder / place)))
    (found,) = differences(folder)
    assert found.startswith("tables/scores.parquet: not a readable Parquet file")


def test_what_is_no_bundle_is_an_error_that_says_so(tmp_path, bundle):
    (tmp_path / "text.zip").write_text("no zip file")
    with pytest.raises(InputError, match="text.zip: no bundle"):
        differences(tmp_path / "text.zip")
    with pytest.raises(InputError, match="no bundle"):
        differences(tmp_path / "missing.zip")
    with pytest.raises(InputError, match="ro-crate-metadata.json of the bundle is missing"):
        differences(tmp_path / "workflow")


def test_who_gets_a_bundle_verifies_it_with_one_command(bundle):
    command = [sys.executable, "-m", "memloc.record", str(bundle)]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 0 and "unchanged" in process.stdout
    with zipfile.ZipFile(bundle, "a") as file:
        file.writestr("more.txt", "added")
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 1 and process.stdout == "more.txt: added in the bundle\n"
