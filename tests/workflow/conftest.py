"""Copies of the working tree, and one finished run of the study `test` that tests share."""

import re
import shutil
from pathlib import Path

import pytest
from describe_rules import Rules
from filelock import FileLock
from projects import PASSING, Finished, OwnText, Project
from transformers import AutoTokenizer

from read_tables import read

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# What a clone does not hold, and what the tests do not need.
NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".snakemake", "__pycache__", ".*_cache", "*.egg-info", "tests"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slurm first, which mostly waits; then whoever makes the finished study, and what does not need it."""
    needed_by = {item.path for item in items if "finished" in getattr(item, "fixturenames", ())}
    first = (HERE / "test_slurm.py", HERE / "test_study.py")

    def place(item: pytest.Item) -> tuple[int, bool]:
        order = first.index(item.path) if item.path in first else len(first)
        return order + (item.path.parent != HERE), item.path in needed_by

    items.sort(key=place)


def not_in_a_clone(folder: str, names: list[str]) -> set[str]:
    """Names in a folder of the working tree that a fresh clone would not hold, or that it links."""
    left_out = NOT_COPIED(folder, names)
    if Path(folder) in (ROOT / "results", ROOT / "resources"):
        left_out |= set(names) - {"README.md"}
    return left_out | ({"workflow"} if Path(folder) == ROOT else set())


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """What a fresh clone of the working tree would hold; tests do nothing but plan in it, or copy it.

    Its workflow is a link to that of the tree, which the process that plans are forked from has imported.
    """
    folder = tmp_path_factory.mktemp("clone") / "project"
    shutil.copytree(ROOT, folder, ignore=not_in_a_clone)
    (folder / "workflow").symlink_to(ROOT / "workflow")
    return Project(folder)


@pytest.fixture(scope="session")
def test_rules(clone: Project) -> Rules:
    """Rules of the study `test`."""
    return Rules.of(clone.folder, "config/test.yaml")


@pytest.fixture(scope="module")
def own_clone(clone: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A fresh copy that one test module may do with as it likes."""
    return Project(shutil.copytree(clone.folder, tmp_path_factory.mktemp("own") / "project"))


@pytest.fixture(scope="session")
def finished(clone: Project, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Finished:
    """The finished study; tests read it and change nothing.

    The first of pytest's processes that needs it makes it for all of them.
    """
    alone = worker_id == "master"
    folder = tmp_path_factory.getbasetemp() if alone else tmp_path_factory.getbasetemp().parent
    project, console = Project(folder / "finished/project"), folder / "finished/console.txt"
    with FileLock(folder / "finished.lock"):
        if not console.exists():
            shutil.copytree(clone.folder, project.folder, dirs_exist_ok=True)  # where it failed before, too
            console.write_text(project.snakemake("--cores", "2", network=False))
    return Finished(project.folder, console.read_text())


@pytest.fixture(scope="session")
def own_text(finished: Finished, clone: Project, tmp_path_factory: pytest.TempPathFactory) -> OwnText:
    """The example, with the finished study's model and as corpus.txt its paragraphs, token for token."""
    folder = shutil.copytree(clone.folder, tmp_path_factory.mktemp("own_text") / "project")
    shutil.copytree(finished.results / "model", folder / "path/to/model")
    (example,) = re.findall(
        r"(?ms)^```yaml\n(study: my-text\n.*?)^```", (ROOT / "docs/own-text.md").read_text()
    )
    (folder / "my-text.yaml").write_text(example)
    scored = read(finished.results, "paragraphs").merge(read(finished.results, "sets"), on="id")
    tokenizer = AutoTokenizer.from_pretrained(folder / "path/to/model", local_files_only=True)
    corpus, chosen = "", []
    for row in scored.itertuples():
        tokens = tokenizer(corpus + row.text)["input_ids"]
        # Left out where the end of one paragraph and the start of the next become one token.
        if len(tokens) == (len(chosen) + 1) * len(row.tokens):
            corpus, chosen = corpus + row.text, [*chosen, row.id]
    (folder / "corpus.txt").write_text(corpus, newline="")
    kept = scored[scored.id.isin(chosen)]
    return OwnText(folder, kept.text.tolist(), set(kept.text[kept.set == "memorized"]))


@pytest.fixture
def editable(finished: Finished, tmp_path: Path) -> Finished:
    """A copy of the finished study that a test may change."""
    folder = shutil.copytree(finished.folder, tmp_path / "project", symlinks=True, ignore=PASSING)
    return Finished(folder, finished.output)
