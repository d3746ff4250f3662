"""A real Slurm of one node with one pretended GPU, all of it in one folder and gone afterwards.

`python tests/workflow/one_node_slurm.py` starts it by hand and says how to use it; Control-C ends it.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from apt import install, program

PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "squeue", "srun", "munged")
SLURM_CONF = Path(__file__).with_name("slurm.conf").read_text()


@dataclass
class Slurm:
    """The daemons of a running one-node Slurm; `environment` points its commands to it."""

    folder: Path
    daemons: dict[str, subprocess.Popen] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        return {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": path}

    def jobs(self) -> list[dict[str, str]]:
        """What Slurm says of every job so far, in the order of submission; nothing while it is down."""
        lines = self.command("scontrol", "show", "job", "--oneliner").splitlines()
        records = [dict(re.findall(r"(\S+?)=(\S*)", line)) for line in lines if line.startswith("JobId=")]
        return sorted(records, key=lambda record: int(record["JobId"]))

    def command(self, *words: str) -> str:
        """Output of a command of Slurm; empty where the controller does not answer."""
        process = subprocess.run(words, env=os.environ | self.environment, capture_output=True, text=True)
        return process.stdout

    def start(self, name: str) -> None:
        """Start one of the daemons."""
        options = {
            "munged": ["--foreground", "--force", f"--key-file={self.folder}/munge.key"]
            + [f"--socket={self.folder}/munge.socket", f"--pid-file={self.folder}/munge.pid"]
            + [f"--log-file={self.folder}/munge.log", f"--seed-file={self.folder}/munge.seed"],
            "slurmctld": ["-D", "-f", f"{self.folder}/slurm.conf"],
            "slurmd": ["-D", "-f", f"{self.folder}/slurm.conf"],
        }
        with (self.folder / f"{name}.console").open("a") as console:
            self.daemons[name] = subprocess.Popen(
                [program(name), *options[name]],
                env=os.environ | self.environment,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """End a daemon as a crash does."""
        daemon = self.daemons.pop(name)
        daemon.kill()
        daemon.wait()

    def wait_until(self, happens: Callable[[], bool]) -> None:
        """Wait until something happens while all daemons run."""
        while not happens():
            ended = [name for name, daemon in self.daemons.items() if daemon.poll() is not None]
            if ended:
                raise RuntimeError(f"{ended} ended: " + "".join(self._consoles()))
            time.sleep(0.1)

    def _consoles(self) -> Iterator[str]:
        return (path.read_text() for path in self.folder.glob("*.console"))

    def crash(self) -> None:
        """Kill the controller, and start it again when somebody has asked it in vain.

        Before, wait until it has written down what it knows now, some seconds after a change such as this
        comment. Otherwise it comes back with a job pending that in truth runs, starts it a second time,
        drains the node because of the copy and holds the job for ever.
        """
        begin, state, down = time.time_ns(), self.folder / "state/job_state", self.folder / "down"
        running = next(job["JobId"] for job in self.jobs() if job["JobState"] == "RUNNING")
        self.command("scontrol", "update", f"JobId={running}", "AdminComment=changed")
        self.wait_until(lambda: state.exists() and state.stat().st_mtime_ns > begin)
        down.touch()
        self.kill("slurmctld")
        self.wait_until((self.folder / "asked").exists)
        self.start("slurmctld")
        self.wait_until(self.ready)
        down.unlink()

    def ready(self) -> bool:
        """Whether the node takes jobs, or runs some."""
        said = self.command("sinfo", "--noheader", "--format=%t", "--partition=gpu")
        return said.strip() in ("idle", "mix", "alloc")

    def stop(self) -> None:
        """Cancel all jobs and end the daemons."""
        if "slurmctld" in self.daemons:
            self.command("scancel", "--signal=KILL", f"--user={os.getuid()}")
            self.command("scancel", f"--user={os.getuid()}")
            self.wait_until(lambda: not self.command("squeue", "--noheader").strip())
        for name in list(self.daemons):
            self.kill(name)


@contextmanager
def one_node(cpus: int = 2) -> Iterator[Slurm]:
    """A running Slurm of this machine with partitions `cpu` and `gpu`; one GPU that is really /dev/null."""
    with TemporaryDirectory(prefix="slurm-", dir="/tmp") as name:  # sockets need short paths
        slurm = Slurm(Path(name))
        _configure(slurm.folder, cpus)
        try:
            slurm.start("munged")
            slurm.wait_until((slurm.folder / "munge.socket").exists)
            for daemon in ("slurmctld", "slurmd"):
                slurm.start(daemon)
            slurm.wait_until(slurm.ready)
            yield slurm
        finally:
            slurm.stop()


def _configure(folder: Path, cpus: int) -> None:
    host = socket.gethostname().split(".")[0]
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0)), second.bind(("127.0.0.1", 0))
        ports = first.getsockname()[1], second.getsockname()[1]
    user = os.environ.get("USER") or subprocess.check_output(["id", "-un"], text=True).strip()
    (folder / "slurm.conf").write_text(
        SLURM_CONF.format(host=host, user=user, folder=folder, ports=ports, cpus=cpus)
    )
    (folder / "gres.conf").write_text("Name=gpu Count=1 File=/dev/null\n")
    (folder / "cgroup.conf").write_text("CgroupPlugin=disabled\n")
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o400)
    for name in ("state", "spool", "bin"):
        (folder / name).mkdir()
    # Snakemake's jobs call srun without the variables of Slurm. Who asks while the controller is down is
    # noted and waits. Where the answer takes long, Snakemake asks the accounting, which is not there.
    squeue = f"{program('squeue')} --noheader --states=all --format='%i|%T'"
    commands = {name: f'{program(name)} "$@"' for name in ("srun", "squeue", "scontrol")} | {"sacct": squeue}
    wait = f"while [ -e {folder}/down ]; do touch {folder}/asked; sleep 0.1; done"
    for name, command in commands.items():
        wrapper = folder / f"bin/{name}"
        wrapper.write_text(f"#!/bin/sh\n{wait}\nSLURM_CONF={folder}/slurm.conf exec {command}\n")
        wrapper.chmod(0o755)


if __name__ == "__main__":
    if reason := install(PROGRAMS, PACKAGES):
        sys.exit(f"Slurm cannot be installed: {reason}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), one_node() as running:
        for variable, value in running.environment.items():
            print(f"export {variable}={value}")
        print("# Slurm runs for shells in which these lines were entered; Control-C ends it.", flush=True)
        signal.pause()
