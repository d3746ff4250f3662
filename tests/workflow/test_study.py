"""The whole study `test`, end to end: everything is there, valid, and nothing is left to do."""

import json
import re

import pandas as pd
from projects import OF_STUDY

import found
from memloc import open_study
from memloc.figures.catalog import FIGURES
from memloc.tables import storage
from memloc.tables.schemas import MEASURED, STAGES
from read_tables import read

FIGURE_NAMES = [figure.name for figure in FIGURES if figure.only_for in OF_STUDY]
# Tables of studies with published numbers, further models or grown memories; measured ones.
OF_TRAININGS = {"half_texts", "half_scores", "counterfactual", "capacity"}  # of further models
OF_GROWTH = {"grown", "twins", "grown_truth", "removal_of_grown"}
ELSEWHERE = {"expected", "dropped_reference", *OF_TRAININGS, *OF_GROWTH, *MEASURED}


def test_every_figure_has_its_files_and_a_caption_that_is_filled(finished):
    n_pairs = pd.read_parquet(finished.results / "tables/sets.parquet")["pair"].nunique()  # of equal exposure
    for name in FIGURE_NAMES:
        path = finished.results / "figures" / name
        assert path.with_suffix(".pdf").read_bytes().startswith(b"%PDF-"), name
        assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG"), name
        assert len(pd.read_csv(path.with_suffix(".csv"))) or name == "equal_exposure" and not n_pairs, name
        caption = path.with_suffix(".rst").read_text()
        own = re.sub("\u201c[^\u201d]*\u201d", "", caption)  # quoted tokens may be such words
        assert len(own) > 40 and not re.search(r"[{}]|\bnan\b|None", own), f"{name}: {caption}"
    assert {path.stem for path in (finished.results / "figures").iterdir()} == set(FIGURE_NAMES)


def test_every_table_is_valid_and_says_where_it_comes_from(finished):
    paths = sorted((finished.results / "tables").iterdir())
    assert {path.name for path in paths} == {f"{name}.parquet" for name in set(STAGES) - ELSEWHERE}
    logs = {path.stem for path in (finished.results / "logs").iterdir()}
    description = json.loads((finished.results / "model.json").read_text())
    for path in paths:
        # No way to remove that this study names is compared with a retrained model.
        assert len(read(finished.results, path.stem)), path.stem
        stamp = storage.provenance(path)
        assert stamp["study"] == "test" and stamp["seed"] == 0 and stamp["rule"] in logs
        assert {"code", "config_hash", "settings", "versions", "units"} <= stamp.keys()
        assert stamp["model"] in (None, description), path.stem
        assert stamp["model"] or path.stem not in ("vocabulary", "scores", "sets", "parameter_gradients")


def test_every_job_has_its_log_and_its_benchmark(finished):
    logs = {path.stem: path.read_text() for path in (finished.results / "logs").iterdir()}
    benchmarks = {path.stem for path in (finished.results / "benchmarks").glob("*.tsv")}
    assert set(logs) == benchmarks >= set(FIGURE_NAMES)
    for name, text in logs.items():
        assert re.search(rf"rule {name}, \d threads, Python 3\.", text), name
        assert "Traceback" not in text, name


def test_nothing_half_written_is_left(finished):
    assert not list(finished.folder.rglob(".partial*"))
    assert not (finished.results / "checkpoints").exists()


def test_a_second_run_does_nothing(finished):
    output = finished.forked("--cores", "2")
    assert "Nothing to be done" in output and "Select jobs to execute" not in output


def test_memorized_paragraphs_are_the_repeated_ones(finished):
    """The embedded model memorizes what it saw often: the study shows what it is made to show."""
    frame = read(finished.results, "paragraphs").merge(read(finished.results, "sets"), on="id")
    memorized = frame[frame["set"] == "memorized"]
    assert len(memorized) >= 6 and memorized["count"].min() >= 12
    assert (frame.loc[frame["set"] == "non_memorized", "whole_count"] == 1).mean() > 0.8


def test_pages_take_their_numbers_from_a_run(finished):
    told = found.sentences(open_study(finished.results), 110)
    pages = json.loads((finished.folder / "docs/found.json").read_text())
    assert told.keys() == pages.keys() - {*found.CAPTIONED}, "captions are of other studies"
    paragraphs, scores = (read(finished.results, name) for name in ("paragraphs", "scores"))
    em_of = dict(zip(scores["id"], scores["em"], strict=True))
    once = paragraphs[~paragraphs["held_out"] & (paragraphs["count"] == 1)]["id"]
    recited = [em_of[number] == 50 for number in once if number in em_of]
    assert f"once {100 * sum(recited) / len(recited):.0f} %" in " ".join(told["repeats"].split())


def test_one_deleted_figure_is_drawn_again_alone_and_equal(editable):
    paths = [editable.results / f"figures/fig2.{kind}" for kind in ("png", "csv", "rst")]
    before = [path.read_bytes() for path in paths]
    for path in paths:
        path.unlink()
    script = editable.folder / "workflow/scripts/scores.py"
    script.write_text(f"{script.read_text()}\n# A comment, for which nothing runs again.\n")
    assert editable.jobs() == {"fig2": 1, "figures_page": 1}
    # A figure needs no model: torch cannot even be imported here.
    (editable.folder / "workflow/torch.py").write_text("raise ImportError('torch is imported')\n")
    editable.snakemake("--cores", "1", "fig2")
    assert [path.read_bytes() for path in paths] == before


def test_the_run_begins_and_ends_with_what_a_person_wants_to_know(finished):
    """Once each: neither jobs nor plans say it."""
    told = r"(?m)^Study test: \d+ rules to run, about [\d.]+ (?:s|min|h)\.$"
    assert len(re.findall(told, finished.output)) == 1
    assert finished.output.count("Study test\n") == 1
    last = finished.output.partition("Study test\n")[2]
    headline = (finished.results / "headline.txt").read_text().splitlines()
    assert len(headline) == 6
    links = ("Explorer: results/test/explorer/index.html", "Figures, one page: results/test/figures.html")
    for line in (*headline, *links):
        assert f"  {line}\n" in last
    assert "Study test" not in finished.plan("--forceall")
