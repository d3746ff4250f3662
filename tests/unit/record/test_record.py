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
from memloc.record.verification import differences, sha256
from memloc.run.errors import InputError
from memloc.run.steps import Step, needed
from memloc.tables import storage
from memloc.tables.schemas import schema_of

STEPS = [
    Step("draw", "Draw.", "workflow/scripts/draw.py", ["r/tables/scores.parquet"], ["r/figures/a.png"],
         "r/benchmarks/draw.tsv"),
    Step("other", "Other.", "workflow/scripts/other.py", ["corpus.txt"], ["r/other.txt"], ""),
    Step("score", "Score.", "workflow/scripts/score.py", ["r/shards/0.parquet", "r/shards/1.parquet"],
         ["r/tables/scores.parquet", "r/benchmarks/seconds.parquet"], ""),
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
    for table, em in zip(STEPS[2].outputs, (0, 1), strict=True):
        storage.write(schema_of("scores"), scores(em=em), table, STAMP)
    return Path("r")


@pytest.fixture
def bundle(results):
    steps = needed(STEPS, ["r/figures/a.png"])
    code = {str(path): path for path in Path("workflow").rglob("*") if path.is_file()}
    return record("x", results, steps, code).write_zip("r/bundle.zip")


@pytest.fixture
def unpacked(bundle, tmp_path):
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(bundle) as file:
        file.extractall(folder)
    return folder


@pytest.fixture
def graph(bundle):
    with zipfile.ZipFile(bundle) as file:
        entities = json.loads(file.read("ro-crate-metadata.json"))["@graph"]
    return {entity["@id"]: entity for entity in entities}


def ids(entities):
    return [entity["@id"] for entity in entities]


def test_the_hash_of_a_folder_is_that_of_its_list_of_hashes(tmp_path):
    """As `sha256sum` prints it, with the folders below it."""
    for name in ("b.txt", "below/a.txt", "below/b.txt"):
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_text(name)
    listed = ["b.txt", "below/a.txt", "below/b.txt"]
    command = ["sha256sum", *listed]
    printed = subprocess.run(command, cwd=tmp_path / "folder", capture_output=True, check=True).stdout
    assert sha256(tmp_path / "folder") == hashlib.sha256(printed).hexdigest()


def test_the_bundle_holds_results_code_and_environment_and_names_the_rest(bundle, graph):
    with zipfile.ZipFile(bundle) as file:
        content = {name: file.read(name) for name in file.namelist()}
    assert content.keys() - {"ro-crate-metadata.json"} == {
        *("tables/scores.parquet", "benchmarks/seconds.parquet", "figures/a.png", "environment.txt"),
        *("workflow/Snakefile", "workflow/scripts/draw.py", "workflow/scripts/score.py"),
    }
    assert b"torch==" in content["environment.txt"]
    for name in content.keys() - {"ro-crate-metadata.json"}:
        known = (hashlib.sha256(content[name]).hexdigest(), str(len(content[name])))
        assert (graph[name]["sha256"], graph[name]["contentSize"]) == known
    assert graph["#corpus.txt"]["sha256"] == sha256(Path("corpus.txt"))
    assert graph["#r/model"]["sha256"] == sha256(Path("r/model")) != sha256(Path("r/model/weights"))
    formats = [graph[name]["encodingFormat"] for name in ("figures/a.png", "workflow/Snakefile")]
    assert formats == ["image/png", "text/plain"]


def test_every_step_has_its_plan_its_tool_and_its_run_with_what_it_read_and_wrote(graph):
    run = graph["#run/score_shard"]
    assert run["instrument"] == {"@id": "workflow/scripts/score.py"}
    assert ids(run["object"]) == ["#corpus.txt", "#r/model"]
    assert ids(run["result"]) == ["#r/shards/0.parquet", "#r/shards/1.parquet"]
    assert (run["name"], run["description"]) == ("Run of score_shard", "Score some.")
    assert ids(graph["#run/draw"]["object"]) == ["tables/scores.parquet"]
    workflow, names = graph["workflow/Snakefile"], ("score_shard", "score", "draw")
    assert ids(workflow["step"]) == [f"#step/{name}" for name in names]
    assert [graph[f"#step/{name}"]["position"] for name in names] == ["0", "1", "2"]
    assert ids(workflow["hasPart"]) == ["workflow/scripts/draw.py", "workflow/scripts/score.py"]
    for tool in ids(workflow["hasPart"]):
        assert "SoftwareSourceCode" in graph[tool]["@type"] and graph[tool]["version"]


def test_the_whole_run_reads_nothing_that_it_made(graph):
    assert ids(graph["#run"]["object"]) == ["#corpus.txt", "#r/model"]
    assert {"tables/scores.parquet", "figures/a.png"} <= set(ids(graph["#run"]["result"]))
    assert graph[graph["./"]["license"]["@id"]]["@type"] == "CreativeWork"
    versions = [graph[profile]["version"] for profile in ids(graph["./"]["conformsTo"])]
    assert versions == ["0.5", "0.5", "0.5", "1.0"]


def test_a_run_ends_with_its_benchmark_and_the_whole_takes_from_the_first_begin_to_the_last_end(graph):
    """Of a step that was tried again the last time counts; one without benchmark has no time."""
    runs = {name: graph[f"#run{name}"] for name in ("/score_shard", "/draw", "/score", "")}
    times = {name: (run.get("startTime"), run.get("endTime")) for name, run in runs.items()}
    seconds = ("17.500", "20.000", "40.000", "50.000")
    begin, score, start, end = (f"2023-11-14T22:14:{second}+00:00" for second in seconds)
    expected = {"/score_shard": (begin, score), "/draw": (start, end), "/score": (None, None)}
    assert times == expected | {"": (begin, end)}


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


def test_a_bundle_its_results_and_what_it_was_unpacked_to_agree(bundle, results, unpacked):
    """An estimate that was made after the run lies among its measurements, and changes nothing."""
    (results / "benchmarks/estimate.parquet").write_text("minutes")
    assert differences(bundle, results) == differences(unpacked) == []


def test_what_differs_in_the_results_is_named(bundle, results):
    (results / "figures/a.png").write_text("changed")
    (results / "tables/scores.parquet").unlink()
    (results / "figures/b.png").write_text("another")
    (results / "figures/other.txt").write_text("of no kind that a study makes there")
    (results / "notes.parquet").write_text("not where tables are")
    told = ("figures/a.png: changed", "tables/scores.parquet: missing", "figures/b.png: added")
    assert differences(bundle, results) == [f"{each} in r" for each in told]


def test_what_differs_in_an_unpacked_bundle_is_named(unpacked):
    (unpacked / "workflow/scripts/draw.py").write_text("changed")
    (unpacked / "figures/a.png").unlink()
    (unpacked / "more.txt").write_text("added")
    assert differences(unpacked) == [
        "figures/a.png: missing in the bundle",
        "workflow/scripts/draw.py: changed in the bundle",
        "more.txt: added in the bundle",
    ]


def flipped(content, place):
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: b"text",
        lambda content: flipped(content, content.index(b"figures/a.png") + 36),
        lambda content: flipped(content, content.rindex(b"PK\1\2")),
        lambda content: flipped(content, len(content) - 3),
    ],
    ids=["cut off", "no zip file", "a byte of a member", "a byte of the list", "a byte of the end"],
)
def test_a_damaged_bundle_ends_in_one_line(bundle, damage):
    bundle.write_bytes(damage(bundle.read_bytes()))
    with pytest.raises(InputError, match=r"bundle.zip: damaged, or no zip file \(.*; copy it"):
        differences(bundle)


@pytest.mark.parametrize("metadata", ["[]", '{"@graph": [{"@id": "#run"}]}', "no JSON", None])
def test_metadata_of_another_program_are_an_error_that_says_so(tmp_path, metadata):
    if metadata:
        (tmp_path / "ro-crate-metadata.json").write_text(metadata)
    with pytest.raises(InputError, match="ro-crate-metadata.json of the bundle is missing or cannot be read"):
        differences(tmp_path)


def test_who_gets_a_bundle_verifies_it_with_one_command(bundle, monkeypatch, capsys):
    def verified(*given):
        monkeypatch.setattr(sys, "argv", ["memloc.record", *given])
        with pytest.raises(SystemExit) as ended:
            runpy.run_module("memloc.record", run_name="__main__")
        return ended.value.code, capsys.readouterr().out

    status, printed = verified(str(bundle))
    assert status == 0 and "unchanged" in printed
    with zipfile.ZipFile(bundle, "a") as file:
        file.writestr("more.txt", "added")
    assert verified(str(bundle)) == (1, "more.txt: added in the bundle\n")
    assert verified("none.zip") == ("none.zip: no bundle; `snakemake bundle` makes it", "")
    assert verified()[0].startswith("usage: ")
