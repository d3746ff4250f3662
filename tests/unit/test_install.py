"""The packages are installed by uv with pip's settings, and by pip where uv fails."""

import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]
INSTALL = runpy.run_path(str(ROOT / "envs/install.py"))
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


def test_a_build_of_torch_comes_first_from_its_own_index(commands):
    """It then satisfies the lock, which names no build; PyPI's would be chosen where it is newer."""
    INSTALL["install"](torch="cu128")
    (_, (get_torch, _), (get_uv, _), (command, _)) = commands.ran
    assert get_torch[-4:] == [
        "install",
        "--index-url",
        "https://download.pytorch.org/whl/cu128",
        "torch>=2.9,<3",
    ]
    assert get_uv[-1] == "uv" and command[-4:] == INSTALL["WHAT"][-4:] and "--index-url" not in command
    assert INSTALL["torch_from"]("https://mirror.example/rocm6.4")[1] == "https://mirror.example/rocm6.4"


def test_a_wheelhouse_is_the_only_source(commands, tmp_path):
    (tmp_path / "a-1-py3-none-any.whl").touch()
    INSTALL["install"](torch="cu128", wheelhouse=str(tmp_path))
    assert not any("--index-url" in command for command, _ in commands.ran)
    for _, options in commands.ran:
        assert options["env"]["PIP_NO_INDEX"] == "1"
        assert options["env"]["PIP_FIND_LINKS"] == str(tmp_path)


def test_a_folder_without_wheels_ends_in_one_line(commands, tmp_path):
    with pytest.raises(SystemExit, match=r"no wheels here: collect them with `make wheelhouse`"):
        INSTALL["install"](wheelhouse=str(tmp_path))
    assert commands.ran == []


def test_wheels_are_collected_of_the_lock_and_of_what_builds_the_project(commands, tmp_path):
    INSTALL["collect"](str(tmp_path))
    ((command, _),) = commands.ran
    assert command[1:4] == ["-m", "pip", "--disable-pip-version-check"] and command[4] == "wheel"
    assert command[command.index("--wheel-dir") + 1] == str(tmp_path)
    assert command[command.index("--requirement") + 1] == INSTALL["LOCK"] and "setuptools>=77" in command


def test_of_a_build_of_torch_the_very_wheel_is_collected(commands, tmp_path):
    wheel = tmp_path / "torch-2.9.0+rocm6.4-cp311-cp311-manylinux_2_28_x86_64.whl"
    wheel.touch()
    INSTALL["collect"](str(tmp_path), torch="rocm6.4")
    (get_torch, _), (command, _) = commands.ran
    assert "https://download.pytorch.org/whl/rocm6.4" in get_torch and str(wheel) in command


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["TORCH=cu128", "-W", "pyproject.toml", ".venv/complete"], "envs/install.py --torch cu128 "),
        (["WHEELHOUSE=w", "-W", "pyproject.toml", ".venv/complete"], "envs/install.py  --wheelhouse w"),
        (["TORCH=rocm6.4", "wheelhouse"], "envs/install.py --collect wheelhouse --torch rocm6.4"),
    ],
)
def test_make_hands_them_on(words, command):
    run = subprocess.run(["make", "--dry-run", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    assert command in run.stdout


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
