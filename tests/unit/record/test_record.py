"""A bundle says what was made by what, and verification names what was changed, is missing or was added."""

import hashlib
import json
import os
import runpy
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
from memloc.tables.columns import integer
from memloc.tables.schema import Lengths, Schema
from memloc.tables.schemas import schema_of

STEPS = [
    Step("draw", "Draw.", "workflow/scripts/draw.py", ["r/tables/scores.parquet"], ["r/figures/a.png"],
         "r/benchmarks/draw.tsv"),
    Step("other", "Other.", "workflow/scripts/other.py", ["corpus.txt"], ["r/other.txt"], ""),
    Step("score", "Score.", "workflow/scripts/score.py", ["r/shards/0.parquet", "r/shards/1.parquet"],
         ["r/tables/scores.parquet"], ""),
    Step("score_shard", "Score some.", "workflow/scripts/score.py", ["corpus.txt", "r/model"],
         ["r/shards/{shard}.parquet"], "r/benchmarks/score.tsv"),
]  # fmt: skip


BEGIN = 1_700_000_000  # 2023-11-14T22:13:20


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
        "r/benchmarks/score.tsv": "s\tmax_rss\n7\t100\n2.5\t100\n",
        "r/benchmarks/draw.tsv": "s\tmax_rss\n10\t100\n",
        **{f"workflow/{name}": name for name in ("Snakefile", "scripts/draw.py", "scripts/score.py")},
    }
    for name, text in texts.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    for name, end in (("score", BEGIN + 60), ("draw", BEGIN + 90)):
        os.utime(f"r/benchmarks/{name}.tsv", (end, end))
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
    assert (run["name"], run["description"]) == ("Run of score_shard", "Score some.")
    assert found[found["./"]["license"]["@id"]]["@type"] == "CreativeWork"
    assert found["#run/draw"]["object"] == [{"@id": "tables/scores.parquet"}]
    assert found["#run"]["object"] == [{"@id": "#corpus.txt"}, {"@id": "#r/model"}]  # nothing that it made
    assert [step["@id"] for step in found["workflow/Snakefile"]["step"]] == [
        "#step/score_shard",
        "#step/score",
        "#step/draw",
    ]


def test_a_run_ends_with_its_benchmark_and_the_whole_takes_from_the_first_begin_to_the_last_end(bundle):
    """Of a step that was tried again the last time counts; one without benchmark has no time."""
    found = graph(bundle)
    times = {
        name: tuple(found[f"#run{name}"].get(key) for key in ("startTime", "endTime"))
        for name in ("/score_shard", "/draw", "/score", "")
    }
    begin, score, start, end = (
        f"2023-11-14T22:14:{second}+00:00" for second in ("17.500", "20.000", "40.000", "50.000")
    )
    assert times == {
        "/score_shard": (begin, score),
        "/draw": (start, end),
        "/score": (None, None),
        "": (begin, end),
    }


def test_files_say_how_large_they_are_what_they_hold_and_which_code_made_them(bundle):
    found = graph(bundle)
    kinds = {
        "figures/a.png": "image/png",
        "tables/scores.parquet": "application/vnd.apache.parquet",
        "workflow/scripts/draw.py": "text/plain",
    }
    for place, kind in kinds.items():
        size = (Path("r") / place if (Path("r") / place).exists() else Path(place)).stat().st_size
        assert (found[place]["encodingFormat"], found[place]["contentSize"]) == (kind, str(size))
    column, plain = (found[f"#tables/scores.parquet/{name}"] for name in ("nll", "id"))
    meaning = schema_of("scores").columns(Lengths())["nll"].description
    assert (column["name"], column["description"]) == ("nll", meaning) and "unitText" not in plain
    tools = ["workflow/scripts/draw.py", "workflow/scripts/score.py"]
    assert found["workflow/Snakefile"]["hasPart"] == [{"@id": tool} for tool in tools]
    for tool in tools:
        assert "SoftwareSourceCode" in found[tool]["@type"] and found[tool]["version"]
    assert {made["@id"] for made in found["#run"]["result"]} >= {"tables/scores.parquet", "figures/a.png"}


def test_the_crate_names_its_profiles_and_plans_a_start_of_every_step(bundle):
    found = graph(bundle)
    versions = [found[profile["@id"]]["version"] for profile in found["./"]["conformsTo"]]
    assert versions == ["0.5", "0.5", "0.5", "1.0"]
    for position, name in enumerate(("score_shard", "score", "draw")):
        plan, start = found[f"#step/{name}"], found[f"#start/{name}"]
        assert (plan["position"], plan["name"]) == (str(position), name)
        assert (start["instrument"]["@id"], start["object"]["@id"]) == (f"#step/{name}", f"#run/{name}")
        assert {"@id": f"#start/{name}"} in found["#snakemake"]["object"]
    assert found["#snakemake"]["result"] == {"@id": "#run"}


def test_a_study_may_lie_in_any_folder_and_its_files_have_any_name(tmp_path, monkeypatch):
    """Below a folder called as that of parts; a name with a blank, which the metadata quotes."""
    monkeypatch.chdir(tmp_path)
    for place in ("shards/r/a b.txt", "workflow/Snakefile", "workflow/scripts/draw.py"):
        Path(place).parent.mkdir(parents=True, exist_ok=True)
        Path(place).write_text(place)
    steps = [Step("draw", "Draw.", "workflow/scripts/draw.py", [], ["shards/r/a b.txt"], "")]
    code = {place: Path(place) for place in ("workflow/Snakefile", "workflow/scripts/draw.py")}
    bundle = record("x", Path("shards/r"), steps, code).write_zip("bundle.zip")
    assert "a b.txt" in zipfile.ZipFile(bundle).namelist()
    assert differences(bundle, Path("shards/r")) == []
    Path("shards/r/a b.txt").write_text("other")
    assert differences(bundle, Path("shards/r")) == ["a b.txt: changed in shards/r"]


@pytest.mark.parametrize("metadata", ["[]", '{"@graph": [{"@id": "#run"}]}', "no JSON"])
def test_metadata_of_another_program_are_an_error_that_says_so(tmp_path, metadata):
    (tmp_path / "ro-crate-metadata.json").write_text(metadata)
    with pytest.raises(InputError, match="ro-crate-metadata.json of the bundle is missing or cannot be read"):
        differences(tmp_path)


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


def test_a_table_that_breaks_its_schema_is_named_with_what_is_wrong_first(bundle, tmp_path):
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(bundle) as file:
        file.extractall(folder)
    columns = schema_of("scores").columns
    loose = {name: integer(0, 99, meaning="Looser.") for name in ("em",)}
    wrong = Schema("scores", lambda lengths: columns(lengths) | loose)
    storage.write(wrong, scores(em=9, id=range(8)), folder / "tables/scores.parquet", STAMP)
    changed, broken = differences(folder)
    assert changed == "tables/scores.parquet: changed in the bundle"
    assert broken.startswith("tables/scores.parquet: table scores, column em: ")


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


@pytest.mark.parametrize(
    ("given", "said"), [(["none.zip"], "none.zip: no bundle"), ([], "usage: "), (["a", "b"], "usage: ")]
)
def test_one_who_names_no_bundle_is_told_so_in_a_line(monkeypatch, given, said):
    monkeypatch.setattr(sys, "argv", ["memloc.record", *given])
    with pytest.raises(SystemExit, match=said):
        runpy.run_module("memloc.record", run_name="__main__")
