"""Every command in the documentation works, every link leads somewhere, every path is there."""

import re
import shlex
import subprocess
import sys

import pytest
from jobs import ROOT

from memloc.figures.catalog import FIGURES

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("[!.]*/README.md")])
# Commands that prepare a shell and need no test of ours.
SHELL = (("git", "clone"), ("cd",), ("cp", "-r"), (".",), ("source",), ("export",))


def commands(page):
    """Commands of the code blocks of a page, without comments; blocks of other languages hold none."""
    for block in re.findall(r"(?ms)^```(?:console|bash|sh)\n(.*?)^```", page.read_text()):
        for line in block.replace("\\\n", " ").splitlines():
            if words := shlex.split(line.removeprefix("$ "), comments=True):
                yield words


COMMANDS = sorted({tuple(words) for page in PAGES for words in commands(page)})
PYTEST = [words for words in COMMANDS if words[:3] == ("python", "-m", "pytest")]
SNAKEMAKE = [words for words in COMMANDS if words[0] == "snakemake"]
MEMLOC = [words for words in COMMANDS if words[0] == "memloc"]  # test_own_text.py runs it


def test_the_readme_has_the_two_commands():
    assert {("make", "reproduce"), ("make", "test")} <= set(map(tuple, commands(ROOT / "README.md")))


@pytest.mark.parametrize("words", [words for words in COMMANDS if words[0] == "make"], ids=" ".join)
def test_make_targets_are_there(words):
    process = subprocess.run(["make", "--dry-run", *words[1:]], cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr


def test_every_other_command_is_known():
    run = ("make", "snakemake", "memloc")
    others = [words for words in COMMANDS if words[0] not in run and words not in PYTEST]
    assert [words for words in others if not any(words[: len(known)] == known for known in SHELL)] == []


@pytest.mark.parametrize("words", PYTEST, ids=" ".join)
def test_pytest_commands_find_tests(words):
    command = [sys.executable, *words[1:], "--collect-only", "--quiet"]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout


# What CONTRIBUTING.md names below workflow/memloc/ or workflow/.
NAMED = re.compile(r"`((?:[a-z_]+/)+[a-z_0-9]+\.(?:py|smk|yaml|rst))`")


def test_files_that_recipes_name_are_there():
    named = NAMED.findall((ROOT / "CONTRIBUTING.md").read_text())
    folders = (ROOT, ROOT / "workflow", ROOT / "workflow/memloc")
    assert len(named) > 30
    assert [name for name in named if not any((folder / name).exists() for folder in folders)] == []


@pytest.mark.parametrize("words", SNAKEMAKE, ids=" ".join)
def test_snakemake_commands_plan_something(request, words):
    """Reports need a finished study and are made from it; everything else is planned in a fresh copy."""
    if "--report" in words:
        finished = request.getfixturevalue("finished")
        finished.forked(*words[1:])
        (finished.folder / words[words.index("--report") + 1]).unlink()
    elif "--unlock" in words:
        request.getfixturevalue("clone").forked(*words[1:], config=None)
    elif "my-text.yaml" in words:
        # Its own tests may have run it before.
        assert "This was a dry-run" in plan(request.getfixturevalue("own_text"), [*words, "--forceall"])
    elif "trained.yaml" in words:
        project = request.getfixturevalue("own_text")
        add_texts(project.folder)
        assert "This was a dry-run" in plan(project, words)
    else:
        assert "This was a dry-run" in plan(request.getfixturevalue("clone"), words)


def add_texts(folder):
    """The page's settings of a model of texts, and as many megabytes of text as they ask for."""
    page = (ROOT / "docs/own-text.md").read_text()
    (example,) = re.findall(r"(?ms)^```yaml\n(study: trained\n.*?)^```", page)
    (folder / "trained.yaml").write_text(example)
    texts = folder / "path/to/texts"
    texts.mkdir(parents=True, exist_ok=True)
    for number in range(30):  # a tenth of the files is held out
        (texts / f"{number}.txt").write_text("A line of twenty-five b.\n" * 5_000)


def plan(project, words):
    return project.plan(*words[1:], config=None)


def found_in_pages(pattern):
    """Every page with each piece of its text that a pattern finds."""
    return [(page, found) for page in PAGES for found in re.findall(pattern, page.read_text())]


def test_links_lead_somewhere():
    for page, target in found_in_pages(r"\]\(([^)\s]+)\)"):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path) if path else page
        assert linked.exists(), f"{page.name} links {target}"
        assert not anchor or anchor in anchors(linked), f"{page.name} links {target}"


def anchors(page):
    """Anchors of a page's headings, as repository sites make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_files_that_are_named_are_there():
    """`config/..`, `envs/..` and so on in code font; what the reader is to make is called my-.."""
    names = found_in_pages(r"`((?:config|docs|envs|profiles|tests|workflow)/(?!my-)[\w./-]*)`")
    assert [(page.name, name) for page, name in names if not (ROOT / name).exists()] == []


def test_nothing_is_left_to_fill_in():
    left = r"(?m)\b(TODO|TBD|FIXME|XXX)\b|\b[A-Z]+_[A-Z_]+ (minutes|seconds)\b|^[A-Z_]+$"
    assert found_in_pages(left) == []


def test_pictures_are_of_figures_that_are_drawn_and_all_are_shown():
    pictures = {path.stem for path in (ROOT / "docs/images").iterdir()}
    names = {figure.name for figure in FIGURES}
    assert {name.partition("-")[0] for name in pictures} <= names | {"explorer"}
    text = "".join(page.read_text() for page in PAGES)
    assert set(re.findall(r"images/([\w-]+)\.png", text)) == pictures
