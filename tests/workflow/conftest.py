"""A copy of the working tree, Snakemake in it, and one finished run of the study `test` that tests share."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

import pytest
from filelock import FileLock
from transformers import AutoTokenizer

from memloc import tables

ROOT = Path(__file__).parents[2]
# What a clone does not hold, and what the tests do not need.
NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".snakemake", "__pycache__", ".*_cache", "*.egg-info", "tests"
)
PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
NO_NETWORK = dict.fromkeys(PROXIES, "http://127.0.0.1:9") | {"no_proxy": "localhost", "HF_HUB_OFFLINE": "1"}
STUDY = "config/test.yaml"
TARGETS = {"all", "figures", "tables", "resources"}


@cache
def without_network() -> list[str]:
    """Words before a command that take every network from it; none where that is not permitted."""
    words = ["unshare", "--net"] if os.getuid() == 0 else ["unshare", "--map-root-user", "--net"]
    permitted = (
        shutil.which("unshare") and subprocess.run([*words, "true"], capture_output=True).returncode == 0
    )
    return words if permitted else []


@dataclass(frozen=True)
class Project:
    """A copy of the project's folder."""

    folder: Path

    def start(
        self,
        *arguments: str,
        config: str | None = STUDY,
        console: int | IO = subprocess.PIPE,
        environment: dict[str, str] | None = None,
        network: bool = True,
    ) -> subprocess.Popen:
        """Snakemake in a process group of its own, without the internet or, where possible, any network."""
        chosen = ["--configfile", config] if config else []
        return subprocess.Popen(
            [*([] if network else without_network()), sys.executable, "-m", "snakemake", *arguments, *chosen],
            cwd=self.folder,
            env=os.environ | NO_NETWORK | (environment or {}),
            stdout=console,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def snakemake(
        self, *arguments: str, config: str | None = STUDY, status: int = 0, network: bool = True
    ) -> str:
        """Output of a Snakemake that ends with `status`."""
        process = self.start(*arguments, config=config, network=network)
        output, _ = process.communicate()
        assert process.returncode == status, output
        return output

    def jobs(self, *arguments: str, config: str | None = STUDY) -> dict[str, int]:
        """Rules that a dry-run would run, and how often, without those that only collect files."""
        output = self.snakemake("--dry-run", *arguments, config=config)
        table = re.search(r"^job +count\n-+ +-+\n(.*?)^total ", output, re.MULTILINE | re.DOTALL)
        rows = [row.split() for row in table[1].splitlines()] if table else []
        assert table or "Nothing to be done" in output, output
        return {rule: int(count) for rule, count in rows if rule not in TARGETS}

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a piece of text of a file that is there once."""
        path = self.folder / file
        text = path.read_text()
        assert text.count(old) == 1, f"{file} holds {old!r} {text.count(old)} times"
        path.write_text(text.replace(old, new))


@dataclass(frozen=True)
class Finished(Project):
    """A copy in which the study `test` has run."""

    seconds: float
    output: str

    @property
    def results(self) -> Path:
        """Folder of the study's results."""
        return self.folder / "results/test"


def not_in_a_clone(folder: str, names: list[str]) -> set[str]:
    """Names in a folder of the working tree that a fresh clone would not hold."""
    left_out = NOT_COPIED(folder, names)
    if Path(folder) in (ROOT / "results", ROOT / "resources"):
        left_out |= set(names) - {"README.md"}
    return left_out


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """What a fresh clone of the working tree would hold; tests do nothing but plan in it."""
    folder = tmp_path_factory.mktemp("clone") / "project"
    return Project(shutil.copytree(ROOT, folder, ignore=not_in_a_clone))


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
    project, record = Project(folder / "finished/project"), folder / "finished/run.json"
    with FileLock(folder / "finished.lock"):
        if not record.exists():
            shutil.copytree(clone.folder, project.folder)
            begin = time.monotonic()
            output = project.snakemake("--cores", "2", network=False)
            record.write_text(json.dumps({"seconds": time.monotonic() - begin, "output": output}))
    return Finished(project.folder, **json.loads(record.read_text()))


@dataclass(frozen=True)
class OwnText(Project):
    """A project with the README's example of own text: config file, model and corpus."""

    paragraphs: list[str]  # of which the corpus is made, in order
    memorized: set[str]  # those that the model recited in the study that it was trained for


@pytest.fixture(scope="session")
def own_text(finished: Finished, clone: Project, tmp_path_factory: pytest.TempPathFactory) -> OwnText:
    """The example, with the finished study's model and as corpus.txt its paragraphs, token for token."""
    folder = shutil.copytree(clone.folder, tmp_path_factory.mktemp("own_text") / "project")
    shutil.copytree(finished.results / "model", folder / "path/to/model")
    (example,) = re.findall(r"(?ms)^```yaml\n(study: my-text\n.*?)^```", (ROOT / "README.md").read_text())
    (folder / "my-text.yaml").write_text(example)
    found = {
        name: tables.read(name, finished.results / f"tables/{name}.parquet")
        for name in ("paragraphs", "sets")
    }
    scored = found["paragraphs"].merge(found["sets"], on="id")
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
def editable(finished: Finished, tmp_path: Path) -> Iterator[Finished]:
    """A copy of the finished study that a test may change."""
    folder = shutil.copytree(finished.folder, tmp_path / "project", symlinks=True)
    yield Finished(folder, finished.seconds, finished.output)
    shutil.rmtree(folder)
