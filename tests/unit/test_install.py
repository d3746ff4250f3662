"""The packages are installed by uv with pip's settings, and by pip where uv fails."""

import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

INSTALL = runpy.run_path(str(Path(__file__).parents[2] / "envs/install.py"))
LISTING = r"""
:env:.find-links='/wheels /more'
:env:.no-index='1'
download.constraint='other.txt'
global.cert='/certificates.pem'
global.constraint='limits.txt'
global.index-url='https://global.example/simple'
install.index-url='https://install.example/simple'
global.extra-index-url='https://one.example\nhttps://two.example'
"""


def settings():
    return INSTALL["pip_settings"](LISTING.strip())


def test_the_nearer_of_two_settings_wins_and_those_of_other_commands_do_not_count():
    assert settings()["index-url"] == "https://install.example/simple"
    assert settings()["constraint"] == "limits.txt"


def test_uv_is_given_the_settings_of_pip():
    assert INSTALL["uv_options"](settings()) == [
        *("--default-index", "https://install.example/simple"),
        *("--index", "https://one.example", "--index", "https://two.example"),
        *("--find-links", "/wheels", "--find-links", "/more"),
        *("--constraint", "limits.txt"),
        *("--index-strategy", "unsafe-best-match"),
        "--no-index",
    ]
    assert INSTALL["uv_options"]({}) == []


@pytest.fixture
def commands(monkeypatch):
    """Commands that the installation runs, without running them; those with a word of `fails` fail."""
    ran, fails = [], []

    def run(command, **options):
        ran.append((command, options))
        if set(fails) & set(command):
            raise subprocess.CalledProcessError(1, command)
        return SimpleNamespace(stdout=LISTING.strip())

    monkeypatch.setattr(subprocess, "run", run)
    return SimpleNamespace(ran=ran, fails=fails)


def test_uv_installs_the_lock_and_the_project(commands):
    INSTALL["install"]()
    *_, (get_uv, _), (command, options) = commands.ran
    assert get_uv[-1] == "uv" and "--constraint" in get_uv
    assert command[1:4] == ["-m", "uv", "pip"] and command[-4:] == INSTALL["WHAT"][-4:]
    assert options["env"]["SSL_CERT_FILE"] == "/certificates.pem"


@pytest.mark.parametrize("forbidden", [True, False])
def test_bytecode_is_compiled_where_python_may_not_write_it_later(commands, monkeypatch, forbidden):
    monkeypatch.setattr(sys, "dont_write_bytecode", forbidden)
    INSTALL["install"]()
    assert ("--compile-bytecode" in commands.ran[-1][0]) == forbidden


@pytest.mark.parametrize("broken", ["uv", "--python"])
def test_pip_installs_where_uv_cannot_be_had_or_fails(commands, broken):
    commands.fails.append(broken)
    INSTALL["install"]()
    command, _ = commands.ran[-1]
    assert command[1:3] == ["-m", "pip"] and command[-4:] == INSTALL["WHAT"][-4:]
