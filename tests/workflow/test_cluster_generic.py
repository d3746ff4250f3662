"""The profile for other schedulers, against stand-ins for the three programs of PBS that it calls."""

import os
import signal
import sys

import pytest
from kills import Moments, running, until

# Starts the job in the background and notes what it asked for, and later its exit status.
QSUB = """#!{python}
import os, subprocess, sys
from pathlib import Path
folder = Path({folder!r})
number = len(list(folder.glob("*.asked")))
(folder / f"{{number}}.asked").write_text(" ".join(sys.argv[1:]))
command = f"sh {{sys.argv[-1]}} > {folder}/{{number}}.out 2>&1; echo $? > {folder}/{{number}}.status"
subprocess.Popen(command, shell=True, stdout=subprocess.DEVNULL)
print(f"{{number}}.server")
"""
QSTAT = """#!{python}
import json, sys
from pathlib import Path
status = Path({folder!r}) / sys.argv[-1].replace(".server", ".status")
ended = status.exists() and status.read_text().strip()
job = {{"job_state": "F", "Exit_status": int(ended)}} if ended else {{"job_state": "R"}}
print(json.dumps({{"Jobs": {{sys.argv[-1]: job}}}}))
"""


@pytest.fixture
def scheduler(tmp_path):
    """Folder of the stand-ins and of what they note."""
    folder = tmp_path / "pbs"
    folder.mkdir()
    for name, text in (("qsub", QSUB), ("qstat", QSTAT), ("qdel", "#!/bin/sh\n")):
        (folder / name).write_text(text.format(python=sys.executable, folder=str(folder)))
        (folder / name).chmod(0o755)
    return folder


def test_jobs_ask_for_what_they_need_and_a_killed_one_runs_again(editable, scheduler):
    names = ("prefix_features", "rare_tokens")
    tables = [editable.results / f"tables/{name}.parquet" for name in names]
    before = [path.read_bytes() for path in tables]
    for path in tables:
        path.unlink()
    targets = [str(path.relative_to(editable.folder)) for path in tables]
    options = ("--profile", "profiles/cluster-generic", "--default-resources", "gpu_model=a100")
    options += ("--allowed-rules", *names)
    moments = Moments.of(editable)
    moments.ask("rare_tokens.py")
    environment = moments.environment | {"PATH": f"{scheduler}:{os.environ['PATH']}"}
    with running(editable, *targets, *options, environment=environment) as process:
        os.kill(until(process, lambda: moments.held("rare_tokens.py")), signal.SIGKILL)
        assert process.wait() == 0, (editable.folder / "console.txt").read_text()
    assert [path.read_bytes() for path in tables] == before
    asked = sorted(path.read_text() for path in scheduler.glob("*.asked"))
    assert len(asked) == 3 and len({text.split()[1] for text in asked}) == 2, asked
    for text in asked:
        on_gpu = "-N prefix_features " in text
        for part in ("-q gpu ", ":ngpus=1", ":gpu_type=a100"):
            assert (part in text) == on_gpu, text
        assert "walltime=" in text and "ncpus=" in text and "mem=" in text
