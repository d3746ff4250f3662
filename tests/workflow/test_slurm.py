"""Rules of the study on a real Slurm while jobs are cancelled and killed and the controller crashes."""

import os
import re
import shutil
import signal
from functools import partial

import pytest
from apt import install
from describe_rules import Rules
from kills import Moments, running, until
from one_node_slurm import PACKAGES, PROGRAMS, one_node
from projects import PASSING, STUDY, Finished

# This Slurm has no accounting and is asked more often than a shared one should be.
OPTIONS = ("--profile", "profiles/slurm", "--slurm-no-account", "--slurm-status-command", "squeue")
OPTIONS += ("--slurm-init-seconds-before-status-checks", "2")
# What `make test` makes anew of a finished study: scores in two shards, which a third job joins.
TABLES = ("scores", "prefix_features", "rare_tokens")
RULES = (*TABLES, "scores_shard", "fig2")


def rule_of(job):
    """The rule of a job; empty for a moment, while Slurm does not say it."""
    return job.get("Comment", "").removeprefix("rule_").split("_wildcards")[0]


def cancel(slurm, moments):
    (job,) = [job for job in slurm.jobs() if rule_of(job) == "prefix_features"]
    slurm.command("scancel", job["JobId"])


def kill_script(slurm, moments):
    """As the kernel does when memory is short."""
    os.kill(moments.held("rare_tokens.py"), signal.SIGKILL)


def crash_controller(slurm, moments):
    slurm.crash()
    moments.release("scores.py")


DISTURBANCES = {"prefix_features.py": cancel, "rare_tokens.py": kill_script, "scores.py": crash_controller}


def submitted_again(slurm, rule):
    return [rule_of(job) for job in slurm.jobs()].count(rule) == 2


def run(slurm, project, targets):
    """A run with each disturbance while a script of a job waits at its start."""
    moments, to_come = Moments.of(project), dict(DISTURBANCES)
    for moment in to_come:
        moments.ask(moment)
    environment = slurm.environment | moments.environment
    environment["PYTHONPATH"] += f":{project.folder}/workflow"  # where the console's plugin is
    with running(project, *targets, *OPTIONS, environment=environment) as process:
        while to_come:
            moment = until(process, lambda: next(filter(moments.held, to_come), None))
            to_come.pop(moment)(slurm, moments)
            if moment != "scores.py":  # is submitted again before a crash could prevent it
                until(process, partial(submitted_again, slurm, moment.removesuffix(".py")))
        assert process.wait() == 0, (project.folder / "console.txt").read_text()


@pytest.fixture(scope="module", params=["few", pytest.param("all", marks=pytest.mark.stress)])
def on_slurm(request, clone, finished, tmp_path_factory):
    """A project whose tables were made on Slurm, and Slurm's records of its jobs by rule."""
    if reason := install(PROGRAMS, PACKAGES):
        pytest.skip(f"NOTHING IS TESTED ON SLURM: it cannot be installed here, {reason}")
    made, targets = (clone, ["all"]) if request.param == "all" else (finished, [])
    folder = shutil.copytree(made.folder, tmp_path_factory.mktemp("slurm") / "project", ignore=PASSING)
    project = Finished(folder, "")
    with (folder / STUDY).open("a") as config:
        config.write("\nshards: 2\n")
    if made is finished:
        tables = [f"results/test/tables/{name}.parquet" for name in TABLES]
        targets = [*tables, "fig2", "--allowed-rules", *RULES]
        for path in tables:
            (folder / path).unlink()
        shutil.rmtree(project.results / "logs")
    with one_node() as slurm:
        run(slurm, project, targets)
        records = {}
        for job in slurm.jobs():
            records.setdefault(rule_of(job), []).append(job)
    return project, records


def test_jobs_with_a_gpu_ask_for_it_and_no_other_does(on_slurm):
    project, records = on_slurm
    rules = {rule["name"]: rule for rule in Rules.of(project.folder, STUDY).jobs}
    asked = {name: {job.get("TresPerJob") for job in jobs} for name, jobs in records.items()}
    with_gpu = {name for name in records if "gpu" in rules[name]["resources"]}
    assert asked == {name: {"gres/gpu:1"} if name in with_gpu else {None} for name in records}
    assert {"scores_shard", "prefix_features"} <= with_gpu
    assert {"scores", "rare_tokens"} <= set(records) - with_gpu
    for name, jobs in records.items():
        assert {job["Partition"] for job in jobs} == {"gpu" if name in with_gpu else "cpu"}


def test_tiny_rules_are_no_jobs(on_slurm):
    project, records = on_slurm
    local = {rule["name"] for rule in Rules.of(project.folder, STUDY).jobs if rule["local"]}
    assert "fig2" in local and not local & set(records)


def test_cancelled_and_killed_jobs_ran_again_with_more_memory_and_time(on_slurm):
    _, records = on_slurm
    for rule, state in (("prefix_features", "CANCELLED"), ("rare_tokens", "FAILED")):
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


def test_the_controller_crashed_and_every_shard_ran_once(on_slurm):
    _, records = on_slurm
    assert [job["JobState"] for job in records["scores_shard"]] == ["COMPLETED"] * 2


def test_jobs_see_the_gpu_that_slurm_gave_them(on_slurm):
    project, _ = on_slurm
    logs = {path.stem: path.read_text() for path in (project.results / "logs").rglob("*.log")}
    assert {name for name, text in logs.items() if "GPU 0\n" in text} >= {"prefix_features", "0-of-2"}
    assert not {"rare_tokens", "scores"} & {name for name, text in logs.items() if "GPU" in text}


def test_the_console_has_a_line_for_each_rule_and_nothing_of_slurm(on_slurm):
    """And one for each job that failed and is submitted again."""
    project, _ = on_slurm
    lines = (project.folder / "console.txt").read_text().splitlines()
    said = [line for line in lines if re.match(r"Failed: |\d+ %(, about .* left)?: ", line)]
    assert len(said) >= len(RULES) and {line.split(":")[0] for line in said} >= {"Failed", "100 %"}
    assert not [line for line in lines if "Select jobs" in line or "SLURM jobid" in line]


def test_tables_are_those_of_a_run_on_this_machine(on_slurm, finished):
    project, _ = on_slurm
    for path in (project.results / "tables").glob("[!.]*"):
        assert path.read_bytes() == (finished.results / "tables" / path.name).read_bytes(), path.name
