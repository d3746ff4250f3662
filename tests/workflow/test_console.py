"""The console of Snakemake with our plugin, and where Snakemake speaks as ever."""

import re
import shutil
import sys

import pytest
from projects import STUDY, Project, _snakemake, forked

TARGET = ("--cores", "1", "run_config")  # a rule that takes a second
# What differs from one call to the next, and what is said of the profile that we leave out.
PASSING = re.compile(
    r"\[\w{3} \w{3} .*\]|  (Date|Workflow ID|Command|Config file\S*): .*|Using workflow specific .*"
)


def with_plugin(*words):
    """As `snakemake` where the plugin is installed: the default profile names it."""
    sys.path.append("workflow")
    _snakemake(words if "--configfile" in words else [*words, "--configfile", STUDY])


def said(folder, *words):
    """What a Snakemake with the plugin says, and its status."""
    status, text = forked(folder, with_plugin, *words)
    return PASSING.sub("", text).strip().splitlines(), status


@pytest.fixture
def project(clone, tmp_path):
    """A copy with a workflow of its own, which a test may change."""
    folder = tmp_path / "project"
    shutil.copytree(clone.folder, folder, ignore=shutil.ignore_patterns("docs", ".*"))
    return Project(folder)


def test_a_run_is_a_line_for_each_rule(project):
    lines, status = said(project.folder, *TARGET)
    assert status == 0
    assert lines == [
        "Assuming unrestricted shared filesystem usage.",
        "Study test: 1 rule to run.",
        "Results appear in results/test/: figures/ and tables/ as they are made, a log per rule in logs/.",
        "100 %: Write the effective settings of the study.",
    ]
    (log,) = (project.folder / ".snakemake/log").glob("*.log")
    assert "Select jobs to execute" in log.read_text()
    lines, _ = said(project.folder, *TARGET)
    assert lines[-1].startswith("Nothing to be done")


def test_a_failure_ends_alone(project):
    project.edit("workflow/scripts/run_config.py", "job = start(snakemake)", "job = start(snakemake)\n1 / 0")
    lines, status = said(project.folder, *TARGET)
    assert status == 1 and lines[-2:] == [
        "Failed: Write the effective settings of the study.",
        "results/test/logs/run_config.log: ZeroDivisionError: division by zero",
    ]
