"""GPUs of one machine, shared out among its jobs.

Snakemake limits how many GPUs its jobs use together but does not say which. Here a job locks a file for each
GPU that it uses. The kernel releases the locks when the process ends, so neither a killed job nor a killed
Snakemake keeps a GPU.
"""

import fcntl
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

VARIABLE = "CUDA_VISIBLE_DEVICES"
POLL_SECONDS = 1.0
# Where all jobs of this user on this machine lock GPUs, whatever their TMPDIR.
LOCKS = Path("/tmp") / f"memloc-gpus-{os.getuid()}"


def visible_gpus() -> list[str]:
    """Names of the GPUs that this process may use: in CUDA_VISIBLE_DEVICES, else all of the machine."""
    if VARIABLE in os.environ:
        return [name.strip() for name in os.environ[VARIABLE].split(",") if name.strip()]
    n_gpus = sum(bool(re.fullmatch(r"nvidia\d+", path.name)) for path in Path("/dev").glob("nvidia*"))
    return [str(index) for index in range(n_gpus)]


def claim_gpus(n: int, folder: Path = LOCKS) -> list[str]:
    """Hide all GPUs from CUDA in this process but `n` that no other job uses; returns these.

    Must run before torch is imported. Waits until enough are free. If a scheduler chose the GPUs already, or
    the machine has no more than `n`, nothing is hidden.
    """
    gpus = visible_gpus()
    if len(gpus) > n:
        gpus = _lock(gpus, n, folder) if n else []
        os.environ[VARIABLE] = ",".join(gpus)
    return gpus


def _lock(gpus: Sequence[str], n: int, folder: Path) -> list[str]:
    """Lock the first `n` of `gpus` that become free, until this process ends; returns them."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # One job at a time chooses: two that each hold a GPU and wait for the other's would wait forever.
    turn = _open(folder / "turn")
    fcntl.flock(turn, fcntl.LOCK_EX)
    taken: list[str] = []
    while len(taken) < n:
        if free := next((gpu for gpu in gpus if gpu not in taken and _take(gpu, folder)), None):
            taken.append(free)
        else:
            time.sleep(POLL_SECONDS)
    os.close(turn)
    return taken


def _take(gpu: str, folder: Path) -> bool:
    """Lock a GPU if it is free; returns whether it was. An open descriptor holds the lock."""
    descriptor = _open(folder / quote(gpu, safe=""))
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    return True


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
