"""Install requirements.lock and this project into the environment of the Python that runs this.

    python envs/install.py [--torch cu128] [--wheelhouse FOLDER]    install
    python envs/install.py [--torch cu128] --collect FOLDER         collect wheels for elsewhere

`--torch` names a build of torch on PyTorch's own index (cu128, rocm6.4, cpu, ..), or an index of builds.
"""

import argparse
import ast
import os
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = str(ROOT / "envs/requirements.lock")
WHAT = ["--requirement", LOCK, "--editable", str(ROOT)]
# Most of what a study imports: without bytecode, it takes ten seconds.
IMPORTS = "import torch, memloc.tables.storage, transformers.modeling_utils"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
TORCH_INDEX = "https://download.pytorch.org/whl"
SHARED_OPTIONS = {"index-url", "find-links", "constraint"}  # pip and uv know them by the same names
NO_MATTER = {"default-timeout", "timeout", "retries", "disable-pip-version-check", "root-user-action"}


def install(torch: str | None = None, wheelhouse: str | None = None) -> None:
    """Install the lock and the project.

    Raises:
        subprocess.CalledProcessError: pip failed.
    """
    environment = os.environ | offline(wheelhouse)
    pip = [*PIP, "install", "--no-compile"]  # Python writes bytecode at the first import
    if torch and not wheelhouse:  # first, and then it satisfies the lock
        subprocess.run([*pip, *torch_from(torch)], check=True, env=environment)
    if torch or wheelhouse or not installed_with_uv():
        subprocess.run([*pip, "--quiet", *WHAT], check=True, env=environment)
    if sys.dont_write_bytecode:  # otherwise every process would compile all that it imports
        compiled = [sys.executable, "-m", "compileall", "-qq", "-j", "0", sysconfig.get_path("purelib")]
        subprocess.run(compiled, check=False)  # on all cores; pip takes one
    else:  # while `make` goes on
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.Popen([sys.executable, "-c", IMPORTS], **quiet)


def installed_with_uv() -> bool:
    """Whether uv has installed everything, in a quarter of pip's time.

    uv gets pip's settings. If it lacks a counterpart of one of them, it installs nothing.
    """
    listed = subprocess.run([*PIP, "config", "list"], check=True, capture_output=True, text=True).stdout
    settings = {}
    for line in reversed(listed.splitlines()):  # settings of the environment come first in the list, and win
        name, _, value = line.partition("=")
        settings[name.removeprefix("global.").removeprefix(":env:.")] = str(ast.literal_eval(value))
    certificates = {"SSL_CERT_FILE": settings.pop("cert")} if "cert" in settings else {}
    if not settings.keys() <= SHARED_OPTIONS | NO_MATTER:
        return False
    options = [
        word
        for name in SHARED_OPTIONS & settings.keys()
        for value in settings[name].split()
        for word in (f"--{name}", value)
    ]
    get_uv = [*PIP, "install", "--quiet", "--constraint", LOCK, "uv"]
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", sys.executable]
    if subprocess.run(get_uv, check=False).returncode:
        return False
    environment = os.environ | certificates
    return subprocess.run([*command, *WHAT, *options], check=False, env=environment).returncode == 0


def collect(folder: str, torch: str | None = None) -> None:
    """Put wheels of all that `install` needs into a folder; a package without a wheel is built.

    Raises:
        subprocess.CalledProcessError: pip failed.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = ["--requirement", LOCK, *project["build-system"]["requires"]]
    wheels = [*PIP, "wheel", "--quiet", "--wheel-dir", folder]
    if torch:
        subprocess.run([*wheels, *torch_from(torch)], check=True)
        needed += map(str, Path(folder).glob("torch-*.whl"))
    subprocess.run([*wheels, *needed], check=True)


def torch_from(build: str) -> list[str]:
    """Arguments of pip for a build of torch that the lock allows, from PyTorch's index or another one."""
    (wanted,) = (line for line in Path(LOCK).read_text().splitlines() if line.startswith("torch>"))
    index = build if "://" in build else f"{TORCH_INDEX}/{build}"
    return ["--index-url", index, wanted]


def offline(wheelhouse: str | None) -> dict[str, str]:
    """pip's settings for an installation from a folder of wheels alone."""
    if wheelhouse is None:
        return {}
    if not any(Path(wheelhouse).glob("*.whl")):
        sys.exit(
            f"{wheelhouse}: no wheels here: collect them with `make wheelhouse` where there is a network"
        )
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(Path(wheelhouse).resolve())}


def main() -> None:
    """Do what the command line asks for."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--torch")
    options.add_argument("--wheelhouse")
    options.add_argument("--collect")
    asked = options.parse_args()
    collect(asked.collect, asked.torch) if asked.collect else install(asked.torch, asked.wheelhouse)


if __name__ == "__main__":
    main()
