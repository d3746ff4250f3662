"""The report holds every figure with its caption, and is made without a network."""

import html
import json
import re
import zipfile
from pathlib import Path
from urllib.parse import unquote

import projects
import pytest

from memloc.figures.catalog import FIGURES, numbered

SHOWN = {figure.name: figure for figure in FIGURES if figure.only_for in projects.OF_STUDY}


@pytest.fixture(scope="module")
def report(finished, tmp_path_factory):
    """The files of the report, by name."""
    path = tmp_path_factory.mktemp("report") / "report.zip"
    finished.forked("--report", str(path))
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        return {name: file.read(name) for name in file.namelist()}


@pytest.fixture(scope="module")
def page(report):
    return report["report/report.html"].decode()


def entry(page, name):
    """What the report says of a figure."""
    start = re.search(rf'"results/test/figures/{name}\.png": (?=\{{)', page).end()
    return json.JSONDecoder().raw_decode(page, start)[0]


def words(text):
    return re.findall(r"\w+", text)


def test_every_figure_is_there_with_its_labels(finished, report, page):
    for name in SHOWN:
        figure = entry(page, name)
        shown = (finished.results / f"figures/{name}.png").read_bytes()
        assert report[f"report/{figure['data_uri']}"] == shown, name
        said = {"figure": name, "shows": SHOWN[name].title, "paper": SHOWN[name].section}
        assert figure["labels"] == {"no.": numbered(SHOWN[name])[1]} | said


def test_captions_say_what_this_run_found_in_valid_markup(finished, page):
    """What reStructuredText does not understand, it puts into the page as a message."""
    for name in SHOWN:
        caption = html.unescape(re.sub(r"<[^>]+>", "", entry(page, name)["caption"]))
        assert words(caption) == words((finished.results / f"figures/{name}.rst").read_text()), name
        assert "system-message" not in entry(page, name)["caption"], name


def test_figures_are_in_chapters(page):
    for chapter in {"1 Explorer", *(numbered(figure)[0] for figure in SHOWN.values())}:
        assert f'"{chapter}"' in page


def test_the_report_opens_with_what_the_study_found(finished, page):
    start = re.search(r"var workflow_desc = ", page).end()
    story = json.JSONDecoder().raw_decode(page, start)[0]
    assert "<strong>test</strong>" in story and "results/test/run_config.yaml" in story
    for line in (finished.results / "headline.txt").read_text().splitlines():
        assert " ".join(words(line)) in " ".join(words(html.unescape(story)))
    assert "system-message" not in story and "logs/claims.log" not in story
    shown = {Path(link).name for link in re.findall(r"showResultInfo\('([^']+)'\)", unquote(story))}
    assert shown == {"index.html"}


def test_the_explorer_is_in_the_report_as_it_is(finished, report):
    own = {path.name: path.read_bytes() for path in (finished.results / "explorer").rglob("[!.]*.*")}
    found = {name.rpartition("/")[2]: data for name, data in report.items()}
    assert own.keys() <= found.keys()
    assert {name for name, data in own.items() if found[name] != data} == set()


def test_the_page_of_all_figures_has_them_in_the_reports_order(finished):
    found = (finished.results / "figures.html").read_text()
    names = [each.name for each in sorted(SHOWN.values(), key=numbered)]
    assert re.findall(r'<figure id="([^"]+)"', found) == names
    pictures = [f"figures/{name}.png" for name in names if name not in ("table1", "table2")]
    assert re.findall(r'<img src="([^"]+)"', found) == pictures and found.count("<table>") == 3
    assert {
        link for link in re.findall(r'href="([^#"]+)"', found) if not (finished.results / link).is_file()
    } == set()
