"""The packages of the lock are installed, also of a build of torch or without a network, and only once."""

import runpy
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from shutil import copy, copytree

import pytest

ROOT = Path(__file__).parents[2]
UV_FAILS = True
INSTALL = runpy.run_path(str(ROOT / "envs/install.py"))


@pytest.fixture
def settings_of_pip():
    """Lines that `pip config list` prints."""
    return []


@pytest.fixture
def commands(monkeypatch, settings_of_pip):
    """Commands that the installation runs, with their environment, without running them. uv itself fails.

    Those that nobody waits for have no environment.
    """
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    ran = []

    def run(command, **options):
        if command[-2:] == ["config", "list"]:
            return subprocess.CompletedProcess(command, 0, "\n".join(settings_of_pip))
        ran.append((command, options))
        return subprocess.CompletedProcess(command, "--python" in command and UV_FAILS)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: ran.append((command, None)))
    return ran


def test_uv_gets_the_settings_of_pip_and_pip_does_what_uv_did_not(commands, settings_of_pip):
    settings_of_pip += [":env:.cert='/c.pem'", ":env:.find-links='/a /b'", "global.find-links='/c'"]
    INSTALL["install"]()
    _, (uv, options), (pip, _), _ = commands
    assert options["env"]["SSL_CERT_FILE"] == "/c.pem"
    assert [value for name, value in pairwise(uv) if name == "--find-links"] == ["/a", "/b"]
    assert set(INSTALL["WHAT"]) <= set(uv) & set(pip)


def test_a_build_of_torch_comes_first_from_its_own_index(commands):
    """It then satisfies the lock, which names no build; PyPI's would be chosen where it is newer."""
    INSTALL["install"](torch="cu128")
    (get_torch, _), (command, _), _ = commands
    assert get_torch[-3:] == ["--index-url", "https://download.pytorch.org/whl/cu128", "torch>=2.9,<3"]
    assert command[-4:] == ["--requirement", INSTALL["LOCK"], "--editable", str(ROOT)]
    assert "--index-url" not in command
    assert INSTALL["torch_from"]("https://mirror.example/rocm6.4")[1] == "https://mirror.example/rocm6.4"


def test_a_wheelhouse_is_the_only_source(commands, tmp_path):
    (tmp_path / "a-1-py3-none-any.whl").touch()
    INSTALL["install"](torch="cu128", wheelhouse=str(tmp_path))
    (command, options), _ = commands
    assert "--index-url" not in command
    assert (options["env"]["PIP_NO_INDEX"], options["env"]["PIP_FIND_LINKS"]) == ("1", str(tmp_path))


def test_wheels_are_collected_of_the_lock_of_what_builds_the_project_and_of_the_very_build(
    commands, tmp_path
):
    wheel = tmp_path / "torch-2.9.0+rocm6.4-cp311-cp311-manylinux_2_28_x86_64.whl"
    wheel.touch()
    INSTALL["collect"](str(tmp_path), torch="rocm6.4")
    (get_torch, _), (command, _) = commands
    assert "https://download.pytorch.org/whl/rocm6.4" in get_torch
    assert command[command.index("--wheel-dir") + 1] == str(tmp_path)
    assert {INSTALL["LOCK"], "setuptools>=77", str(wheel)} <= set(command)


@pytest.fixture
def clone(tmp_path):
    """What the environment of a clone is made of."""
    copytree(ROOT / "envs", tmp_path / "envs")
    for name in ("Makefile", "pyproject.toml"):
        copy(ROOT / name, tmp_path)
    return tmp_path


def planned(clone, *words):
    command = ["make", "--dry-run", *words]
    return subprocess.run(command, cwd=clone, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["TORCH=cu128", ".venv/complete"], "envs/install.py --torch cu128 "),
        (["WHEELHOUSE=w", ".venv/complete"], "envs/install.py  --wheelhouse w"),
        (["TORCH=rocm6.4", "wheelhouse"], "envs/install.py --collect wheelhouse --torch rocm6.4"),
    ],
)
def test_make_hands_them_on(clone, words, command):
    assert command in planned(clone, *words)


def test_the_environment_is_made_anew_for_other_contents_and_not_for_a_later_time(clone):
    (clone / ".venv").mkdir()
    written = next(
        line for line in planned(clone, ".venv/complete").splitlines() if "> .venv/complete" in line
    )
    subprocess.run(written, shell=True, cwd=clone, check=True)
    project = clone / "pyproject.toml"
    project.write_text(project.read_text() + "# Another setting of a tool.\n")  # and a later time
    assert "install.py" not in planned(clone, "docs")
    project.write_text(project.read_text().replace('"einops",', '"einops>1",'))
    assert "install.py" in planned(clone, "docs")
