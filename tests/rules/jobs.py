"""The jobs of a study as Snakemake hands them to their scripts, and the scripts in this process.

Asks for the jobs in a process of its own, because a workflow changes the process that reads it. A script in
this process need not import its libraries again, which takes most scripts on small models longer than what
they compute.
"""

import atexit
import os
import pickle
import runpy
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from memloc.run.steps import script_of

if TYPE_CHECKING:
    from snakemake.jobs import Job
    from snakemake.script import Snakemake

STORED = Path(__file__).parent / "stored"
ROOT = Path(__file__).parents[2]
NOT_STORED = {"figures_page", "explorer"}  # of captions, pictures and settings; tests/workflow makes these
LEARNED = "train_model"  # hundreds of steps amplify the last bit, in which processors differ
# Tables of the stages that setting `shards` makes several jobs of.
SHARDED = {
    "scores": ("scores",),
    "perturbation": ("perturbation", "perturbed_paragraphs"),
    "patching": ("patching", "attribution_patching"),
    "edit_paragraphs": ("edits",),
    "remove": ("removal", "removal_damage"),
}


def jobs(folder: Path, config: str | Path, *targets: str) -> dict[str, tuple[str, "Snakemake"]]:
    """Script and `snakemake` object of every job in the order of a possible run, by its log below `logs/`."""
    from projects import forked

    with tempfile.NamedTemporaryFile() as output:
        status, said = forked(folder, _write_jobs, str(config), output.name, targets)
        assert status == 0, said
        return pickle.loads(Path(output.name).read_bytes())


@cache
def stored_jobs() -> dict[str, tuple[str, "Snakemake"]]:
    """The jobs of the stored study."""
    return jobs(ROOT, "tests/rules/study.yaml", "all", "edited_model")


def settings(**changes: Any) -> dict[str, Any]:
    """Settings of the stored study, with other sections in place of some."""
    return yaml.safe_load((STORED.parent / "study.yaml").read_text()) | changes


def removal_settings(**changes: Any) -> dict[str, Any]:
    """Section `remove` of the study `test`, with other keys in place of some."""
    return yaml.safe_load((ROOT / "config/test.yaml").read_text())["remove"] | changes


def made(
    folder: Path, given: dict[str, Any], *targets: str, chosen: Callable[[str], bool] = lambda rule: True
) -> Path:
    """Results of a study that the chosen rules of its targets, and their shards, make in this process."""
    (folder / "config.yaml").write_text(yaml.safe_dump(given))
    with scripts_here(folder) as run:
        for script, snakemake in jobs(ROOT, folder / "config.yaml", *targets).values():
            if chosen(snakemake.rule.removesuffix("_shard")):
                run(script, snakemake)
    return folder / "results" / given["study"]


def outputs(snakemake: "Snakemake") -> list[Path]:
    """The files of a job, with what is written in tests of a figure that it draws."""
    from drawn import drawn_path

    figures = [drawn_path(path) for path in snakemake.output if Path(path).suffix == ".csv"]
    return [*map(Path, snakemake.output), *figures]


@contextmanager
def scripts_here(folder: Path) -> Iterator[Callable[[str, "Snakemake"], None]]:
    """Runs the script of a job in this process, in `folder`, where it finds what it finds in the project's.

    What scripts change in this process (environment, streams) is undone afterwards.
    """
    import matplotlib.pyplot as plt  # plans need none of these
    import pytest
    import torch
    from drawn import with_what_is_drawn

    from memloc.figures.parts import files
    from memloc.run import rule

    if not (folder / "workflow").exists():
        (folder / "workflow").symlink_to(ROOT / "workflow")

    def run_job(script: str, snakemake: "Snakemake") -> None:
        for path in map(Path, snakemake.output):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
        with redirect_stdout(sys.stdout), redirect_stderr(sys.stderr):  # a script turns both into its log
            runpy.run_path(str(ROOT / "workflow/scripts" / script), {"snakemake": snakemake})
        plt.close("all")

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "excepthook", sys.excepthook)
        patch.setattr(os, "environ", os.environ.copy())
        patch.setattr(atexit, "register", lambda *_: None)
        patch.setattr(signal, "signal", lambda *_: None)
        # This process keeps the locks. A Snakemake that runs here later would end it as a job that was left.
        patch.setattr(rule, "LOCKS", Path(".snakemake/locks-of-tests"))
        patch.setattr(files, "write", with_what_is_drawn(files.write))
        torch.set_num_threads(1)
        yield run_job


def _snakemake(job: "Job") -> "Snakemake":
    from snakemake.script import Snakemake

    given = (job.input, job.output, job.params, job.wildcards, job.threads, job.resources, job.log)
    return Snakemake(*given, config={}, rulename=job.rule.name, bench_iteration=None)


def _write_jobs(config: str, output: str, targets: tuple[str, ...]) -> None:
    """Pickle the jobs of the project in the current folder."""
    from projects import workflow_of
    from snakemake.settings.types import DAGSettings

    try:
        with workflow_of(config) as workflow:
            workflow.dag(dag_settings=DAGSettings(targets=set(targets), forceall=True)).printrulegraph()
            dag = workflow._workflow.dag
            in_order = [job for level in dag.toposorted() for job in sorted(level, key=lambda job: job.name)]
            found = {
                job.log[0].rpartition("logs/")[2].removesuffix(".log"): (script_of(job.rule), _snakemake(job))
                for job in in_order
                if job.rule.script
            }
            Path(output).write_bytes(pickle.dumps(found))
    except Exception:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)  # else threads of Snakemake's log keep the process
