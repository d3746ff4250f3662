"""Copies of the project's folder, and Snakemake in them."""

import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from typing import IO, Any

import pytest

PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
NO_NETWORK = dict.fromkeys(PROXIES, "http://127.0.0.1:9") | {"no_proxy": "localhost", "HF_HUB_OFFLINE": "1"}
STUDY = "config/test.yaml"
ON_REQUEST = ("removal",)  # `only_for` of figures that a study must ask for, as this one does
OF_STUDY = (None, "embedded", "places", "trained", *ON_REQUEST)
PASSING = shutil.ignore_patterns("locks", "iocache", "report.zip")  # come and go in a finished study
LOADED = "heavy libraries of the plan:"
HEAVY = {"torch", "transformers", "matplotlib", "sklearn"}
TARGETS = {"all", "figures", "tables", "resources"}
# Plans are many and short: most of a plan's time is imports, so each is forked from a process that has them.
PLANNER = multiprocessing.get_context("forkserver")
PLANNER.set_forkserver_preload(["planner"])


def forked(folder: Path, function: Callable[..., None], *arguments: object) -> tuple[int, str]:
    """Exit status, and output and log, of a function in `folder`, in a process that has what plans import."""
    _start_planner()
    # A thread logs, so two streams in one file may tear a line.
    with tempfile.NamedTemporaryFile("r") as output, tempfile.NamedTemporaryFile("r") as log:
        names = (output.name, log.name)
        process = PLANNER.Process(target=_in_folder, args=(folder, names, function, *arguments))
        process.start()
        process.join()
        return process.exitcode, output.read() + log.read()


@cache
def _start_planner() -> None:
    """Python does not tell the process where lies what it is to import."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        forkserver.ensure_running()


def _in_folder(
    folder: Path, streams: tuple[str, str], function: Callable[..., None], *arguments: object
) -> None:
    for stream, name in enumerate(streams, start=1):
        os.dup2(os.open(name, os.O_WRONLY), stream)
    os.chdir(folder)
    os.environ |= NO_NETWORK
    os.environ.pop("PYTHONPATH", None)
    import planner

    planner.forget_unless_of(folder)
    function(*arguments)


def _snakemake(arguments: Sequence[str]) -> None:
    """As `python -m snakemake`; ends the process."""
    sys.path.insert(0, "")
    sys.argv = ["snakemake", *arguments]
    from snakemake.cli import main

    try:
        main(list(arguments))
    finally:
        if "--dry-run" in arguments:
            print(LOADED, *sorted(HEAVY & sys.modules.keys()), flush=True)
        sys.stdout.flush()


@contextmanager
def workflow_of(config: str) -> Iterator[Any]:
    """The workflow of the current folder, through Snakemake's own interface; it changes this process."""
    from snakemake.api import SnakemakeApi
    from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings

    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        yield api.workflow(
            resource_settings=ResourceSettings(cores=2),
            config_settings=ConfigSettings(configfiles=[Path(config)]),
            snakefile=Path("Snakefile"),
        )


@cache
def without_network() -> list[str]:
    """Words before a command that take every network from it; none where that is not permitted."""
    words = ["unshare", "--net"] if os.getuid() == 0 else ["unshare", "--map-root-user", "--net"]
    permitted = (
        shutil.which("unshare") and subprocess.run([*words, "true"], capture_output=True).returncode == 0
    )
    return words if permitted else []


@dataclass(frozen=True)
class Project:
    """A copy of the project's folder."""

    folder: Path

    def start(
        self,
        *arguments: str,
        config: str | None = STUDY,
        console: int | IO = subprocess.PIPE,
        environment: dict[str, str] | None = None,
        network: bool = True,
    ) -> subprocess.Popen:
        """Snakemake in a process group of its own, without the internet or, where possible, any network."""
        chosen = ["--configfile", config] if config else []
        return subprocess.Popen(
            [*([] if network else without_network()), sys.executable, "-m", "snakemake", *arguments, *chosen],
            cwd=self.folder,
            env=os.environ | NO_NETWORK | (environment or {}),
            stdout=console,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def snakemake(
        self, *arguments: str, config: str | None = STUDY, status: int = 0, network: bool = True
    ) -> str:
        """Output of a Snakemake that ends with `status`."""
        process = self.start(*arguments, config=config, network=network)
        output, _ = process.communicate()
        assert process.returncode == status, output
        return output

    def plan(self, *arguments: str, config: str | None = STUDY, status: int = 0) -> str:
        """Output of a dry-run that ends with `status`."""
        return self.forked("--dry-run", *arguments, config=config, status=status)

    def forked(self, *arguments: str, config: str | None = STUDY, status: int = 0) -> str:
        """Output of a Snakemake that starts no job and ends with `status`."""
        chosen = [*arguments, *(["--configfile", config] if config else [])]
        exitcode, text = forked(self.folder, _snakemake, chosen)
        assert exitcode == status, text
        return text

    def jobs(self, *arguments: str, config: str | None = STUDY) -> dict[str, int]:
        """Rules that a dry-run would run, and how often, without those that only collect files."""
        return jobs_of(self.plan(*arguments, config=config))

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a piece of text of a file that is there once."""
        path = self.folder / file
        text = path.read_text()
        assert text.count(old) == 1, f"{file} holds {old!r} {text.count(old)} times"
        path.write_text(text.replace(old, new))


def jobs_of(output: str) -> dict[str, int]:
    """Rules that a dry-run says would run, and how often, without those that only collect files."""
    table = re.search(r"^job +count\n-+ +-+\n(.*?)^total ", output, re.MULTILINE | re.DOTALL)
    rows = [row.split() for row in table[1].splitlines()] if table else []
    assert table or "Nothing to be done" in output, output
    return {rule: int(count) for rule, count in rows if rule not in TARGETS}


def heavy_libraries(output: str) -> list[str]:
    """Libraries that take long to import, and that the dry-run has loaded."""
    return re.search(rf"^{LOADED}(.*)$", output, re.MULTILINE)[1].split()


@dataclass(frozen=True)
class Finished(Project):
    """A copy in which the study `test` has run."""

    output: str

    @property
    def results(self) -> Path:
        """Folder of the study's results."""
        return self.folder / "results/test"


@dataclass(frozen=True)
class OwnText(Project):
    """A project with the documentation's example of own text: config file, model and corpus."""

    paragraphs: list[str]  # of which the corpus is made, in order
    memorized: set[str]  # those that the model recited in the study that it was trained for
