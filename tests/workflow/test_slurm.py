"""The study on a real Slurm while jobs are cancelled and killed and the controller crashes."""

import os
import shutil
import signal
import time

import pytest
from describe_rules import Rules
from kills import kill_everything, wait_for_script
from one_node_slurm import install, one_node
from projects import Project

# This Slurm has no accounting and is asked more often than a shared one should be.
OPTIONS = ("--profile", "profiles/slurm", "--slurm-no-account", "--slurm-status-command", "squeue")
OPTIONS += ("--slurm-init-seconds-before-status-checks", "2")
SECONDS = {"fig2": 900, "all": 3600}


def running(slurm, rule):
    """Whether a job of this rule runs now."""
    return any(rule_of(job) == rule and job["JobState"] == "RUNNING" for job in slurm.jobs())


def rule_of(job):
    return job["Comment"].removeprefix("rule_").split("_wildcards")[0]


def cancel(slurm, project):
    (job,) = [job for job in slurm.jobs() if rule_of(job) == "paragraphs"]
    slurm.command("scancel", job["JobId"])


def kill_script(slurm, project):
    """Kill a script once it runs, as the kernel does when memory is short."""
    os.kill(wait_for_script(project), signal.SIGKILL)


def crash_controller(slurm, project):
    slurm.wait_until_saved()
    slurm.kill("slurmctld")
    time.sleep(3)
    slurm.start("slurmctld")


DISTURBANCES = {"paragraphs": cancel, "train_model": kill_script, "scores": crash_controller}


def run(slurm, project, target):
    """Output of the run, each disturbance having come while a job of its rule ran."""
    console, to_come = project.folder / "console.txt", dict(DISTURBANCES)
    deadline = time.monotonic() + SECONDS[target]
    with console.open("w") as file:
        process = project.start(target, *OPTIONS, console=file, environment=slurm.environment)
    try:
        while process.poll() is None:
            assert time.monotonic() < deadline, console.read_text() + slurm.command("scontrol", "show", "job")
            for rule in [rule for rule in to_come if running(slurm, rule)]:
                to_come.pop(rule)(slurm, project)
            time.sleep(0.5)
    finally:
        kill_everything(process)
    assert process.returncode == 0 and not to_come, console.read_text()
    return console.read_text()


@pytest.fixture(scope="module", params=["fig2", pytest.param("all", marks=pytest.mark.stress)])
def on_slurm(request, clone, tmp_path_factory):
    """A project whose target was made on Slurm, and Slurm's records of its jobs by rule."""
    if reason := install():
        pytest.skip(f"NOTHING IS TESTED ON SLURM: it cannot be installed here, {reason}")
    folder = tmp_path_factory.mktemp("slurm") / "project"
    project = Project(shutil.copytree(clone.folder, folder))
    with one_node() as slurm:
        run(slurm, project, request.param)
        records = {}
        for job in slurm.jobs():
            records.setdefault(rule_of(job), []).append(job)
    return project, records


def test_jobs_with_a_gpu_ask_for_it_and_no_other_does(on_slurm):
    project, records = on_slurm
    rules = {rule["name"]: rule for rule in Rules.of(project.folder, "config/test.yaml").jobs}
    asked = {name: {job.get("TresPerJob") for job in jobs} for name, jobs in records.items()}
    with_gpu = {name for name in records if "gpu" in rules[name]["resources"]}
    assert asked == {name: {"gres/gpu:1"} if name in with_gpu else {None} for name in records}
    assert {"scores", "sets"} <= with_gpu and {"paragraphs", "train_model", "model"} <= set(
        records
    ) - with_gpu
    for name, jobs in records.items():
        assert {job["Partition"] for job in jobs} == {"gpu" if name in with_gpu else "cpu"}


def test_tiny_rules_are_no_jobs(on_slurm):
    project, records = on_slurm
    local = {rule["name"] for rule in Rules.of(project.folder, "config/test.yaml").jobs if rule["local"]}
    assert "fig2" in local and not local & set(records)


def test_cancelled_and_killed_jobs_ran_again_with_more_memory_and_time(on_slurm):
    _, records = on_slurm
    for rule, state in (("paragraphs", "CANCELLED"), ("train_model", "FAILED")):
        first, second = records[rule]
        assert (first["JobState"], second["JobState"]) == (state, "COMPLETED"), rule
        assert memory(second) == 2 * memory(first)
        assert minutes(second) == 2 * minutes(first)


def memory(job):
    """Megabytes of a job."""
    return int(float(job["MinMemoryNode"].rstrip("MG")) * (1024 if job["MinMemoryNode"].endswith("G") else 1))


def minutes(job):
    days, _, clock = job["TimeLimit"].rpartition("-")
    hours, minutes, _ = map(int, clock.split(":"))
    return 24 * 60 * int(days or 0) + 60 * hours + minutes


def test_the_job_during_which_the_controller_crashed_is_complete(on_slurm):
    _, records = on_slurm
    assert records["scores"][-1]["JobState"] == "COMPLETED"


def test_jobs_see_the_gpu_that_slurm_gave_them(on_slurm):
    project, _ = on_slurm
    logs = {path.stem: path.read_text() for path in (project.folder / "results/test/logs").iterdir()}
    assert {name for name, text in logs.items() if "GPU 0\n" in text} >= {"scores", "sets"}
    assert not {"paragraphs", "train_model"} & {name for name, text in logs.items() if "GPU" in text}


def test_tables_are_those_of_a_run_on_this_machine(on_slurm, finished):
    project, _ = on_slurm
    tables = [path for path in (project.folder / "results/test/tables").iterdir() if path.name[0] != "."]
    assert {"scores.parquet", "sets.parquet"} <= {path.name for path in tables}
    for path in tables:
        assert path.read_bytes() == (finished.results / "tables" / path.name).read_bytes(), path.name
