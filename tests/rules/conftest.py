"""Run the script of one job in this process, on a copy of the stored tables."""

import atexit
import os
import runpy
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import torch
from jobs import ROOT, STORED
from snakemake.script import Snakemake


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Results of the stored study in a folder where scripts find what they find in the project's."""
    shutil.copytree(STORED, tmp_path / "results/stored")
    (tmp_path / "workflow").symlink_to(ROOT / "workflow")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "results/stored"


@pytest.fixture
def run(study: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Snakemake], None]:
    """Run a job's script; what it changes in this process (environment, streams) is undone afterwards."""
    for name in ("stdout", "stderr", "excepthook"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setattr(atexit, "register", lambda *_: None)
    torch.set_num_threads(1)

    def run_job(script: str, snakemake: Snakemake) -> None:
        for path in map(Path, snakemake.output):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
        runpy.run_path(str(ROOT / "workflow/rules" / script), {"snakemake": snakemake})
        plt.close("all")

    return run_job
