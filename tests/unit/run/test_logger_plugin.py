"""The console of a run: what it says of each record of Snakemake's log, and when it is Snakemake's own."""

import io
import logging
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.logging import DefaultFormatter
from snakemake.profiles import ProfileConfigFileParser
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

import snakemake_logger_plugin_memloc as plugin
from memloc.run.console import OWN, say

PROFILE = Path(__file__).parents[3] / "profiles/default/config.yaml"
LIBRARY = {"PYTHONPATH": str(Path(plugin.__file__).parents[1])}
BY_DEFAULT = dict.fromkeys(("dryrun", "verbose", "printshellcmds", "debug_dag", "stdout"), False)
STATS = {"train": 1, "scores": 2, "all": 1, "total": 4}
WORDS = {"train": "Train the model.", "scores": "Score all.", "all": "Everything is done."}


@pytest.fixture
def logged(monkeypatch):
    """Gives a new console, with settings of Snakemake, and a function that logs to it."""
    loggers = []

    def begin(**asked):
        handler = plugin.LogHandler(SimpleNamespace(nocolor=True, **BY_DEFAULT | asked), None)
        handler.setFormatter(DefaultFormatter())
        handler.setStream(console := io.StringIO())
        logger = logging.getLogger("snakemake.logging")
        monkeypatch.setattr(logger, "handlers", [handler])
        monkeypatch.setattr(logger, "level", logging.INFO)
        loggers.append(logger)

        def log(text, event=None, level=logging.INFO, **about):
            logger.log(level, text, extra={"event": event, **about})

        return console, log

    return begin


def a_run(log, expected=None):
    """What Snakemake logs of a run, and we with it."""
    log("Workflow has started!", LogEvent.WORKFLOW_STARTED, **HEADER)
    log("Building DAG of jobs...")
    log("Provided cores: 2", LogEvent.RESOURCES_INFO)
    log("Job stats:", LogEvent.RUN_INFO, stats=STATS)
    say("Study mini: 4 rules to run.", about=expected)
    log("Select jobs to execute...")
    for job, rule in enumerate(("train", "scores", "scores", "all")):
        info = dict.fromkeys(("indent", "local", "log", "input", "output"), [])
        info |= {"jobid": job, "rule_name": rule, "rule_msg": WORDS[rule], "reason": ""}
        log(f"Rule: {rule}", LogEvent.JOB_INFO, **info)
        log(f"Finished jobid: {job}", LogEvent.JOB_FINISHED, job_id=job)
        log(None, LogEvent.PROGRESS, done=job + 1, total=4)
    log("Complete log(s): some.log")


HEADER = dict.fromkeys(
    ("datetime", "workflow_id", "platform", "host", "user", "snakemake_version", "python_version", "cmd"), "x"
) | dict.fromkeys(("snakefile_main", "basedir", "rundir", "cwd", "configfiles", "config_md5"), "x")


def lines_of(logged, monkeypatch, seconds, expected):
    """Lines of a run that took so long, of which so much was expected."""
    console, log = logged()
    monkeypatch.setattr(plugin.time, "monotonic", iter(seconds).__next__)
    say(None)
    a_run(log, expected)
    return console.getvalue().splitlines()


def test_a_finished_rule_is_a_line_with_per_cent_time_left_and_words(logged, monkeypatch):
    """As long as expected: the time that is left is the same by what was expected and by what was seen."""
    expected = 200.0, {"train": 90.0, "scores": 5.0}
    assert lines_of(logged, monkeypatch, (0.0, 180.0, 200.0), expected) == [
        "Study mini: 4 rules to run.",
        "Begins, about 1.5 min: Train the model.",
        "90 %, about 20 s left: Train the model.",
        "99 %, about 0 s left: Score all.",
        "100 %: Everything is done.",
    ]


def test_where_it_takes_longer_than_expected_more_is_left(logged, monkeypatch):
    """Half of the work is done, and took as long as all of it was to take: between half and all of that."""
    lines = lines_of(logged, monkeypatch, (0.0, 200.0, 400.0), (200.0, {"train": 50.0, "scores": 25.0}))
    assert lines[1] == "50 %, about 2.5 min left: Train the model."


@pytest.mark.parametrize("asked", ["dryrun", "verbose", "printshellcmds", "debug_dag", None])
def test_elsewhere_and_where_more_is_asked_for_snakemake_speaks_as_ever(logged, asked):
    """None: another workflow, which says nothing of ours."""
    console, log = logged(**{asked: True} if asked else {})
    if asked:
        say(None)
    a_run(log)
    said = console.getvalue()
    assert "Building DAG" in said and "Select jobs" in said and "Finished jobid: 3" in said and "25%" in said


def test_lists_and_plans_of_ours_are_no_runs(logged):
    console, log = logged()
    say(None)
    log("Building DAG of jobs...")
    assert console.getvalue() == "Building DAG of jobs...\n"


def test_a_failure_is_said_at_once_and_explained_last(logged):
    console, log = logged()
    say(None)
    log("Workflow has started!", LogEvent.WORKFLOW_STARTED, **HEADER)
    log("", LogEvent.JOB_INFO, jobid=0, rule_name="train", rule_msg=WORDS["train"])
    for text in (
        "RuleException:\nCalledProcessError in file a",
        "WorkflowError:\nAt least one job did not complete",
    ):
        log(text, LogEvent.ERROR, logging.ERROR, exception="a")
    log("Error in rule train", LogEvent.JOB_ERROR, logging.ERROR, jobid=0, rule_name="train")
    log("Exiting because a job execution failed. Look below", level=logging.ERROR)
    log("MissingOutputException", LogEvent.ERROR, logging.ERROR)
    log("Will exit after finishing currently running jobs.")
    say("logs/train.log: do that", logging.ERROR)
    log("Complete log(s): some.log")
    assert console.getvalue().splitlines() == [
        "Failed: Train the model.",
        "MissingOutputException",
        "Will exit after finishing currently running jobs.",
        "logs/train.log: do that",
    ]


@pytest.mark.parametrize("installed", [True, False])
def test_the_default_profile_names_the_plugin_where_it_is_installed(installed, monkeypatch):
    monkeypatch.setattr(LoggerPluginRegistry, "is_installed", lambda *_: installed)
    with PROFILE.open() as file:
        found = ProfileConfigFileParser().parse(file)
    assert found.get("logger") == ("memloc" if installed else None) and found["scheduler"] == "greedy"


def test_the_plugin_leaves_it_to_the_snakefile_which_library_is_used():
    """Snakemake imports it before anything says where the library of this workflow is."""
    code = "import sys, snakemake_logger_plugin_memloc; print({'memloc'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=LIBRARY)
    assert done.stdout == "set()\n" and plugin.OWN == OWN


def test_what_we_say_is_text_for_snakemakes_own_console():
    record = logging.makeLogRecord({"msg": "Study mini", OWN: None})
    assert DefaultFormatter().format(record) == "Study mini"
    assert DefaultFormatter().format(logging.makeLogRecord({"msg": None, OWN: None})) == ""
