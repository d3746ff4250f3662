"""Jobs of one machine share its GPUs: no two ever hold the same one, also when some are killed."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from memloc.run import gpu_locks

LIBRARY = Path(gpu_locks.__file__).parents[2]
# A job: takes its GPUs, says which, and says so again when its input ends. It says, too, that it waits.
JOB = """
import os, sys
from pathlib import Path
from memloc.run import gpu_locks
n, folder = int(sys.argv[1]), Path(sys.argv[2])
sleep, waits = gpu_locks.time.sleep, ["waits"]

def wait(seconds):
    while waits:
        print(waits.pop(), flush=True)
    sleep(0.01)

gpu_locks.time.sleep = wait
gpus = gpu_locks.claim_gpus(n, folder / "locks")
assert os.environ["CUDA_VISIBLE_DEVICES"] == ",".join(gpus) and len(set(gpus)) == n, gpus
for gpu in gpus:
    os.close(os.open(folder / f"held-{gpu}", os.O_CREAT | os.O_EXCL))  # fails if another job holds it
print(*gpus, flush=True)
sys.stdin.read()
for gpu in gpus:
    (folder / f"held-{gpu}").unlink()
print(*gpus)
"""


def start(folder, n, works=False):
    """A job that wants n of four GPUs; one that works goes on until it is asked for its GPUs, or killed."""
    return subprocess.Popen(
        [sys.executable, "-c", JOB, str(n), folder],
        env={"PYTHONPATH": str(LIBRARY), "CUDA_VISIBLE_DEVICES": "0,1,2,3"},
        stdin=subprocess.PIPE if works else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def gpus_of(job):
    """The GPUs of a job that has ended."""
    output, error = job.communicate()
    assert job.returncode == 0, error
    return output.splitlines()[-1].split()


def says(job):
    """What a job says next."""
    line = job.stdout.readline()
    assert line, job.stderr.read()
    return line.split()


def test_many_jobs_never_hold_the_same_gpu(tmp_path):
    """Jobs that want one, two or three of four GPUs at once; all end, so none waits for another for ever."""
    sizes = random.Random(0).choices((1, 2, 3), k=24)
    jobs = [start(tmp_path, n) for n in sizes]
    assert [len(gpus_of(job)) for job in jobs] == sizes


def test_gpus_of_a_killed_job_are_free_again(tmp_path):
    killed, gpus = start(tmp_path, 3, works=True), ["0", "1", "2"]
    assert says(killed) == gpus
    waiting = start(tmp_path, 2)
    assert says(waiting) == ["waits"]
    killed.send_signal(signal.SIGSTOP)  # its GPUs are its own until it is killed
    for gpu in gpus:
        (tmp_path / f"held-{gpu}").unlink()
    killed.kill()
    killed.wait()
    assert len(gpus_of(waiting)) == 2


def test_a_job_that_is_killed_while_it_waits_keeps_nobody_waiting(tmp_path):
    holder = start(tmp_path, 3, works=True)
    assert says(holder) == ["0", "1", "2"]
    waiting = start(tmp_path, 2)
    assert says(waiting) == ["waits"]  # it has taken GPU 3, and wants another one
    waiting.kill()
    waiting.wait()
    assert gpus_of(start(tmp_path, 1)) == ["3"]
    assert gpus_of(holder) == ["0", "1", "2"]


def test_names_of_devices_are_kept(tmp_path):
    names = "GPU-8a/1,MIG-77, GPU-9b"
    assert gpu_locks._take("GPU-8a/1", tmp_path)
    assert gpu_locks._lock(names.replace(" ", "").split(","), 2, tmp_path) == ["MIG-77", "GPU-9b"]


@pytest.mark.parametrize(
    ("visible", "n", "left"),
    [("0,1", 2, "0,1"), ("5", 1, "5"), ("3", 2, "3"), ("", 1, ""), ("0,1", 0, ""), ("1", 0, "")],
)
def test_what_a_scheduler_chose_is_left_alone_and_cpu_jobs_see_none(monkeypatch, tmp_path, visible, n, left):
    monkeypatch.setenv(gpu_locks.VARIABLE, visible)
    gpu_locks.claim_gpus(n, tmp_path / "locks")
    assert os.environ[gpu_locks.VARIABLE] == left
    assert not (tmp_path / "locks").exists()


def test_a_machine_without_gpus_is_left_alone(monkeypatch, tmp_path):
    monkeypatch.delenv(gpu_locks.VARIABLE, raising=False)
    monkeypatch.setattr(gpu_locks.Path, "glob", lambda *_: iter(()))
    assert gpu_locks.claim_gpus(1, tmp_path) == []
    assert gpu_locks.VARIABLE not in os.environ


def test_all_gpus_of_the_machine_are_shared_where_none_are_named(monkeypatch):
    names = ("nvidia0", "nvidia1", "nvidia-uvm", "nvidiactl", "nvidia-caps")
    monkeypatch.delenv(gpu_locks.VARIABLE, raising=False)
    monkeypatch.setattr(gpu_locks.Path, "glob", lambda *_: (Path("/dev", name) for name in names))
    assert gpu_locks.visible_gpus() == ["0", "1"]


def test_locks_are_the_users_own(tmp_path):
    folder = tmp_path / "new" / "locks"
    assert gpu_locks._lock(["a/b", "1"], 1, folder) == ["a/b"]
    assert folder.stat().st_mode & 0o777 == 0o700
    expected = {"turn": 0o600, "a%2Fb": 0o600}
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == expected
