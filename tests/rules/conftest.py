"""The stored study, and its scripts in this process."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from jobs import STORED, scripts_here
from snakemake.script import Snakemake


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Results of the stored study in a folder of their own, which is the current one."""
    shutil.copytree(STORED, tmp_path / "results/stored")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "results/stored"


@pytest.fixture
def run(study: Path, tmp_path: Path) -> Iterator[Callable[[str, Snakemake], None]]:
    """Run a job's script in the folder of the stored study."""
    with scripts_here(tmp_path) as run_job:
        yield run_job
