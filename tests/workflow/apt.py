"""Programs that tests drive, installed by apt-get where they are missing."""

import os
import shutil
import subprocess
from collections.abc import Iterable

from filelock import FileLock


def program(name: str) -> str | None:
    """Path of a program of this machine."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


def install(programs: Iterable[str], packages: Iterable[str]) -> str | None:
    """Install packages if a program is missing; the reason if that is impossible."""
    if all(map(program, programs)):
        return None
    if not program("apt-get") or os.getuid() != 0:
        return f"{', '.join(packages)}: not installed, and installing them needs apt-get and root"
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    limited = ["timeout", "-k", "10", "1800", "apt-get", "--quiet=2"]
    with FileLock("/tmp/memloc-apt.lock"):  # of all processes that test
        for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
            process = subprocess.run([*limited, *command], env=environment, capture_output=True, text=True)
    return None if all(map(program, programs)) else f"apt-get failed: {process.stderr[-500:]}"
