"""A run that is killed again and again, in every way, ends with the tables of one that was not.

Four times in `make test`, with some of the figures and what they need; 52 times in `make stress`, with all of
them. MEMLOC_SEED asks for other moments.
"""

import itertools
import os
import random
import shutil

import pytest
from kills import WAYS, kill_everything, running, scripts
from projects import Project

from memloc.figures.catalog import FIGURES
from memloc.tables import storage
from memloc.tables.schemas import MEASURED, schema_of

SEED = int(os.environ.get("MEMLOC_SEED", 0))
SOME = ("fig2", "fig3", "fig5")
# How often, how many scripts may start before a kill, and what is made.
FEW, MANY = (4, 4, SOME), (52, 10, ("all",))
TIMED = {figure.name for figure in FIGURES if set(figure.tables) & set(MEASURED)}
TRAINING = {"paragraphs.parquet", "training_stream.parquet", "training_curve.parquet"}


@pytest.fixture(
    scope="module", params=[FEW, pytest.param(MANY, marks=pytest.mark.stress)], ids=["few", "many"]
)
def killed(request, finished, clone, tmp_path_factory):
    """A finished study whose run was killed as some of its scripts began, and the targets of that run."""
    folder = tmp_path_factory.mktemp("killed") / "project"
    project, moments = Project(shutil.copytree(clone.folder, folder)), random.Random(SEED)
    n_kills, most, targets = request.param
    n_killed = 0
    for kill in itertools.islice(itertools.cycle(WAYS), 3 * n_kills):
        if kill(project, moments, most, targets):
            n_killed += 1
            assert_whole(project)
            project.snakemake("--unlock")
        elif project.jobs(*targets) == {}:  # it ended before the kill
            assert_same(project, finished)
            start_over(project)
        if n_killed == n_kills:
            break
    assert n_killed == n_kills
    project.snakemake("--cores", "2", *targets)
    return project, targets


def assert_whole(project):
    """Whatever has the name of a table is one, however the run ended."""
    for path in (project.folder / "results/test/tables").glob("[!.]*.parquet"):
        storage.read(schema_of(path.stem), path)


def assert_same(project, finished):
    """Tables, model, plotted numbers and captions that are there are those of an undisturbed run, byte for
    byte. Figures of measured seconds are left out.
    """
    results = project.folder / "results/test"
    assert names(results / "model") == names(finished.results / "model")
    for pattern in ("tables/*.parquet", "model/*", "figures/*.csv", "figures/*.rst"):
        for path in results.glob(pattern):
            if path.stem not in TIMED and not path.name.startswith(".partial"):
                expected = finished.results / path.relative_to(results)
                assert path.read_bytes() == expected.read_bytes(), path.name


def files(project):
    results = project.folder / "results/test"
    return {f"{kind}/{name}" for kind in ("tables", "figures") for name in names(results / kind)}


def names(folder):
    return {path.name for path in folder.iterdir() if not path.name.startswith(".partial")}


def start_over(project):
    """Forget everything but the trained model."""
    results = project.folder / "results/test"
    for path in (results / "tables").iterdir():
        if path.name not in TRAINING:
            path.unlink()
    for folder in ("figures", "parts", "claims"):
        shutil.rmtree(results / folder)


def test_the_study_is_that_of_an_undisturbed_run(finished, killed):
    project, targets = killed
    assert_same(project, finished)
    everything, made = files(finished), files(project)
    assert made == everything if targets == ("all",) else made < everything
    assert {f"figures/{target}.png" for target in SOME} <= made


def test_nothing_is_left_to_do(killed):
    project, targets = killed
    assert project.jobs(*targets) == {}
    assert scripts(project) == []


def test_a_second_run_in_the_same_folder_is_refused(editable):
    (editable.results / "tables/perturbation.parquet").unlink()
    with running(editable, "--cores", "1"):
        output = editable.snakemake("--cores", "1", status=1)
    assert "cannot be locked" in output or "LockException" in output


def test_the_lock_of_a_killed_run_is_named_and_can_be_removed(editable):
    with running(editable, "--cores", "1", "--forcerun", "scores") as process:
        kill_everything(process)
    assert "--unlock" in editable.snakemake("--cores", "1", status=1)
    editable.snakemake("--unlock")
    editable.jobs()
