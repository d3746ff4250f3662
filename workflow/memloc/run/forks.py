"""Run jobs as forks of a process that has imported the libraries: imports take most of a short job.

Snakemake starts a Python for every script. In a local run of many jobs, `serve` lets servers do so instead. A
server imports libraries, never memloc's code, and then forks for every job. It holds no tensor, and no thread
that a fork would miss. It has the environment that Snakemake gives to a script, so each number of threads has
its own server, and scripts that import memloc.model have others, with torch. A fork is an ordinary process,
with its own signals, status, log and resources. Snakemake itself starts jobs with an environment of their
own.
"""

import atexit
import gc
import importlib
import os
import runpy
import signal
import socket
import subprocess
import sys
from contextlib import nullcontext, suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

LIBRARIES = (
    *("fontTools.subset", "jaxtyping", "jinja2", "matplotlib.backends.backend_pdf", "matplotlib.pyplot"),
    *("pandas", "pandera.backends.pandas.register", "pandera.pandas", "pyarrow.parquet", "pydantic"),
    *("scipy.special", "snakemake.iocontainers", "snakemake.logging", "yaml"),
)
OF_MODELS = ("scipy.stats", "torch", "transformers.generation", "transformers.modeling_utils")
MANY = 10  # jobs; fewer save no more time than the start of a server takes
THREADS = ("OMP", "GOTO", "OPENBLAS", "MKL", "NUMEXPR")


def serve(jobs: list[tuple[int, str | None, str]]) -> None:
    """Let servers run the scripts of this process's Snakemake, if it has many jobs and no GPU.

    A job is its threads, its folder for temporary files and its script. When the first one has begun, the
    servers of all others start: a core may be idle then.
    """
    from snakemake.benchmark import benchmarked
    from snakemake.script import PythonScript

    from memloc.run.gpu_locks import visible_gpus

    if len(jobs) < MANY or sys.platform != "linux" or visible_gpus() or Path("/dev/kfd").exists():
        return
    plain, server, lock = PythonScript.execute_script, cache(Server), Lock()
    needed = [_needs(*job) for job in jobs]

    def execute_script(script: Any, file: str, edit: bool = False) -> None:
        """In place of Snakemake's method, called by a thread for each job."""
        if script.conda_env or script.container_img or script.env_modules or script.shadow_dir:
            plain(script, file, edit)
            return
        with lock:
            own = server(*_needs(script.threads, script.resources.get("tmpdir"), file))
        job = own.start(file)
        with lock:
            for needs in needed:
                server(*needs)
        if job is None:
            plain(script, file, edit)
            return
        record = script.bench_record
        with job, benchmarked(job.process, record) if record is not None else nullcontext():
            status = job.wait()
        if status:
            raise subprocess.CalledProcessError(status, f"{sys.executable} {file}")

    PythonScript.execute_script = execute_script


def _needs(threads: int, folder: str | None, script: str) -> tuple[int, str | None, bool]:
    """What tells the server of a job from others: see `Server`."""
    return threads, folder, "memloc.model" in Path(script).read_text()


class Job:
    """A fork that runs a script. No other process gets its id before the block of `with` ends."""

    def __init__(self, process: int, keeper: socket.socket) -> None:
        self.process, self.keeper = process, keeper

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self.keeper.close()

    def wait(self) -> int:
        """The exit status, or minus the signal that ended the job; a killed keeper counts as SIGKILL."""
        return int(self.keeper.recv(16) or -signal.SIGKILL)


class Server:
    """The server of all jobs with the same environment. It ends with the process that has this object."""

    def __init__(self, threads: int, folder: str | None, model: bool) -> None:
        """`folder` is for temporary files; with `model`, jobs need the model's libraries."""
        from memloc.run import rule

        given = dict.fromkeys((f"{kind}_NUM_THREADS" for kind in THREADS), str(threads))
        given |= {"VECLIB_MAXIMUM_THREADS": str(threads)} | rule.ENVIRONMENT
        if folder:
            given |= dict.fromkeys(("TMPDIR", "TMP", "TEMPDIR", "TEMP"), folder)
        self.socket, there = socket.socketpair(type=socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", __name__, str(there.fileno()), *LIBRARIES, *OF_MODELS * model]
        with there:
            self.process = subprocess.Popen(command, env=os.environ | given, pass_fds=[there.fileno()])
        atexit.register(self.close)

    def start(self, file: str) -> Job | None:
        """Start a job; None if the server could not import its libraries.

        Raises:
            subprocess.CalledProcessError: a signal, such as that of Ctrl-C, has ended the server.
        """
        keeper, there = socket.socketpair(type=socket.SOCK_SEQPACKET)
        with there, suppress(OSError):
            socket.send_fds(self.socket, [file.encode()], [there.fileno()])
        if process := keeper.recv(16):
            return Job(int(process), keeper)
        keeper.close()
        if (status := self.process.wait()) < 0:
            raise subprocess.CalledProcessError(status, self.process.args)
        return None

    def close(self) -> None:
        """End the server."""
        self.socket.close()
        self.process.wait()


def next_job(requests: socket.socket) -> str:
    """Fork for every request, and return its script in the fork. The server exits after Snakemake."""
    interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends jobs, and Snakemake the server
    while True:
        file, descriptors, *_ = socket.recv_fds(requests, 4096, 1)
        if not file:
            os._exit(0)  # at once
        with socket.socket(fileno=descriptors[0]) as snakemake:
            if os.fork() == 0:
                requests.close()
                _keep(snakemake)
                signal.signal(signal.SIGINT, interrupted)
                return file.decode()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _keep(snakemake: socket.socket) -> None:
    """Fork the job and return in it. It tells Snakemake its id. This process, the keeper, tells its end.

    Snakemake knows the id of the job, whenever the keeper is killed.
    """
    if (job := os.fork()) == 0:
        with suppress(OSError):  # Snakemake was killed; the job goes on
            snakemake.send(str(os.getpid()).encode())
        return
    with suppress(OSError):
        end = os.waitid(os.P_PID, job, os.WEXITED | os.WNOWAIT)
        status = end.si_status if end.si_code == os.CLD_EXITED else -end.si_status
        snakemake.send(str(status).encode())
        snakemake.recv(1)
    os.waitpid(job, 0)
    os._exit(0)


if __name__ == "__main__":
    for library in sys.argv[2:]:
        importlib.import_module(library)
    gc.freeze()
    script = next_job(socket.socket(fileno=int(sys.argv[1])))
    sys.argv, sys.path[0] = [script], str(Path(script).parent)
    runpy.run_path(script, run_name="__main__")
