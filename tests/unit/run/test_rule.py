"""Every script logs to its file, also its errors, and uses the threads of its rule."""

import json
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from memloc.run import rule

LIBRARY = Path(rule.__file__).parents[2]
START = """
import sys
from types import SimpleNamespace
from memloc.run.errors import InputError
from memloc.run.rule import log, start
job = SimpleNamespace(threads={threads}, log=["logs/deep/job.log"], rule="job", resources={{"gpu": 2}})
start(job)
"""


def run(folder, code, threads=1, **environment):
    """The finished process of a script with this code behind its start."""
    script = folder / "script.py"
    script.write_text(START.format(threads=threads) + code)
    return subprocess.run(
        [sys.executable, script],
        cwd=folder,
        env={"PYTHONPATH": str(LIBRARY)} | environment,
        capture_output=True,
        text=True,
    )


def log_of(folder):
    return (folder / "logs/deep/job.log").read_text(encoding="utf-8")


def test_output_goes_to_the_log_and_what_somebody_waits_for_to_the_console_too(tmp_path):
    code = "from memloc.run.rule import tell\nlog('hello'); print('out'); print('err', file=sys.stderr)"
    process = run(tmp_path, f"{code}; tell('the answer')")
    assert (process.returncode, process.stdout, process.stderr) == (0, "the answer\n", "")
    for text in ("rule job, 1 threads, Python 3.", "hello\n", "out\n", "err\n", "] the answer\n"):
        assert text in log_of(tmp_path)


def test_a_traceback_goes_to_the_log_and_the_job_fails(tmp_path):
    process = run(tmp_path, "def deep():\n    raise ValueError('bad thing')\ndeep()")
    assert process.returncode == 1 and process.stdout == process.stderr == ""
    assert "Traceback (most recent call last)" in log_of(tmp_path) and "in deep" in log_of(tmp_path)
    assert log_of(tmp_path).endswith("\nValueError: bad thing\n")


TABLE = "from memloc.tables.columns import TableError\ndef deep():\n    raise TableError('bad; do that')"
DISK = "def deep():\n    raise OSError(28, 'No space left', 'a')"


@pytest.mark.parametrize(
    ("code", "line"),
    [(TABLE, "ERROR: bad; do that"), (DISK, "the disk is full. Free some space and start again")],
    ids=["table", "full disk"],
)
def test_what_a_user_can_cause_ends_with_one_line_and_the_traceback_is_in_the_log(tmp_path, code, line):
    process, written = run(tmp_path, f"{code}\ndeep()"), log_of(tmp_path)
    assert process.returncode == 1
    assert line in written.splitlines()[-1]
    assert written.count("Traceback (most recent call last)") == 1 and "in deep" in written


def test_a_disk_that_takes_no_log_is_named_on_the_console(tmp_path):
    full = "class Full:\n    def write(self, text):\n        raise OSError(28, 'No space left')\n"
    process = run(tmp_path, f"{full}    def flush(self): pass\nsys.stdout = sys.stderr = Full()\nlog('a')")
    assert process.returncode == 1 and process.stdout == ""
    assert process.stderr.startswith("[Errno 28] No space left: the disk is full. Free some space")


def test_errors_with_advice_are_those_of_the_user():
    """Errors of the library's own kinds, but for those that are faults of the code."""
    faults = {"EditError", "DamagedError"}
    for path in (LIBRARY / "memloc").rglob("*.py"):
        for name, bases in re.findall(r"^class (\w+Error)\((.+)\):", path.read_text(), re.MULTILINE):
            users = re.search(r"UserError|InputError|DownloadError|Exception", bases)
            assert users or name in faults, f"{name} in {path}"


def test_a_job_that_is_ended_says_so_in_its_last_line(tmp_path):
    process = run(tmp_path, "import os\nlog('so far')\nos.kill(os.getpid(), 15)\nlog('more')")
    assert process.returncode == -15
    said = "ERROR: ended from outside by SIGTERM; start again: what is complete is kept\n"
    assert log_of(tmp_path).endswith(said)


@pytest.fixture
def started(tmp_path):
    """Starts a script with this code behind its start; ends all of them."""
    processes = []

    def begin(name, code):
        (tmp_path / name).write_text(START.format(threads=1) + code)
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        environment = {"PYTHONPATH": str(LIBRARY)}
        processes.append(subprocess.Popen([sys.executable, name], cwd=tmp_path, env=environment, **pipes))
        return processes[-1]

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


# On the console, where a test waits for it.
TELLS = """
def tell(text):
    print(text, file=sys.__stdout__, flush=True)
tell('started')
"""


def test_a_job_waits_for_the_same_job_that_a_killed_snakemake_left_running(tmp_path, started):
    """Two at once would write the same files. What the second one logs is in its own log."""
    left = started("left.py", f"{TELLS}\nsys.stdin.read(); tell('left')")
    left.stdout.readline()
    (tmp_path / "logs/deep/job.log").unlink()  # as Snakemake does before a job starts
    again = started("again.py", f"{TELLS}\nlog('again')")
    waits = f"this job still runs as process {left.pid} on {platform.node()}; waiting for its end\n"
    assert again.stdout.readline().endswith(waits)
    assert left.communicate()[0] == "left\n" and again.communicate()[0] == "started\n"
    assert "again" in log_of(tmp_path) and "left" not in log_of(tmp_path)


FORKS = f"""{TELLS}
import os
if not os.fork():
    sys.stdin.read()  # until the test ends
    os._exit(0)
tell('forked')
sys.stdin.read()
"""


def test_a_job_does_not_wait_for_what_a_killed_one_has_forked(started):
    left = started("left.py", FORKS)
    while not left.stdout.readline().endswith("forked\n"):
        pass
    left.kill()
    left.wait()
    assert started("again.py", TELLS).stdout.readline() == "started\n"


END = f"""{TELLS}
import os
from memloc.run.rule import end_with_parent
read, write = os.pipe()
if not os.fork():
    end_with_parent()
    os.write(write, b'1')
    sys.stdin.read()
    os._exit(0)
os.read(read, 1)
tell('forked')
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_process_of_a_pool_ends_with_a_job_that_is_killed(started):
    """Then nothing holds the job's console any more."""
    left = started("left.py", END)
    while not left.stdout.readline().endswith("forked\n"):
        pass
    left.kill()
    assert left.stdout.read() == ""


def test_a_job_sees_the_gpus_that_it_asked_for(tmp_path):
    """They can only be chosen before torch is there."""
    code = "print(sorted({'torch', 'numpy', 'pandas', 'transformers'} & set(sys.modules)))\n"
    code += "import json, os; print('sees', json.dumps(dict(os.environ)))"
    run(tmp_path, code, 3, CUDA_VISIBLE_DEVICES="3,4,5")
    seen = json.loads(re.search("\n\\[\\]\nsees (.*)\n", log_of(tmp_path))[1])
    assert seen["CUDA_VISIBLE_DEVICES"] == "3,4"
    assert "GPU 3, 4\n" in log_of(tmp_path)
    assert seen["HF_HUB_OFFLINE"] == seen["HF_DATASETS_OFFLINE"] == seen["HF_HUB_DISABLE_TELEMETRY"] == "1"
    assert seen["TOKENIZERS_PARALLELISM"] == "false"
