"""Install requirements.lock and this project into the environment of the Python that runs this.

    python envs/install.py [--torch cu128] [--wheelhouse FOLDER]    install
    python envs/install.py [--torch cu128] --collect FOLDER         collect wheels for elsewhere

`--torch` names a build of torch on PyTorch's own index (cu128, rocm6.4, cpu, ..), or an index of builds.

uv takes less processor time than pip. It does not read pip's settings (mirrors, local wheels, constraints,
certificates), so it is given them: else it may choose other builds. Where uv cannot be had or fails, pip
installs the same.
"""

import argparse
import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = str(ROOT / "envs/requirements.lock")
WHAT = ["--quiet", "--requirement", LOCK, "--editable", str(ROOT)]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
UV = [sys.executable, "-m", "uv", "pip", "install", "--python", sys.executable]
TORCH_INDEX = "https://download.pytorch.org/whl"

# pip's setting: uv's option, or the environment variable that uv reads.
OPTIONS = {
    "index-url": "--default-index",
    "extra-index-url": "--index",
    "find-links": "--find-links",
    "constraint": "--constraint",
    "trusted-host": "--allow-insecure-host",
}
VARIABLES = {"cert": "SSL_CERT_FILE", "proxy": "ALL_PROXY"}


def install(torch: str | None = None, wheelhouse: str | None = None) -> None:
    """Install with uv, else with pip.

    Raises:
        subprocess.CalledProcessError: pip failed too.
    """
    environment = os.environ | offline(wheelhouse)
    listing = subprocess.run(
        [*PIP, "config", "list"], check=True, capture_output=True, text=True, env=environment
    ).stdout
    settings = pip_settings(listing)
    variables = {name: settings[key] for key, name in VARIABLES.items() if key in settings}
    # Python writes bytecode at the first import, which costs less than all of it here, unless it may not.
    compiled = ["--compile-bytecode"] if sys.dont_write_bytecode else []
    if torch and not wheelhouse:  # first, and then it satisfies the lock
        subprocess.run([*PIP, "install", *torch_from(torch)], check=True, env=environment)
    try:
        get_uv = [*PIP, "install", "--quiet", "--constraint", LOCK, "uv"]
        subprocess.run(get_uv, check=True, env=environment)
        subprocess.run(
            [*UV, *uv_options(settings), *compiled, *WHAT], check=True, env=environment | variables
        )
    except subprocess.CalledProcessError:
        print("uv did not install the packages: pip does.", file=sys.stderr)
        subprocess.run([*PIP, "install", *WHAT], check=True, env=environment)


def collect(folder: str, torch: str | None = None) -> None:
    """Put wheels of all that `install` needs into a folder; what has none is built.

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
    """What pip is told to take a build of torch, as the lock allows it, from PyTorch's index or another."""
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


def pip_settings(listing: str) -> dict[str, str]:
    """pip's settings for `pip install`, from what `pip config list` prints."""
    lines = [line.partition("=") for line in listing.splitlines()]
    given = {name: ast.literal_eval(value) for name, _, value in lines}
    found = {}
    for scope in ("global.", "install.", ":env:."):  # what comes later wins
        found |= {name.removeprefix(scope): value for name, value in given.items() if name.startswith(scope)}
    return found


def uv_options(settings: dict[str, str]) -> list[str]:
    """pip's settings as uv's options; a value of pip's may be a list, separated by spaces."""
    options = [
        part
        for key, option in OPTIONS.items()
        for value in settings.get(key, "").split()
        for part in (option, value)
    ]
    if "extra-index-url" in settings:
        options += ["--index-strategy", "unsafe-best-match"]  # pip takes the best of all indexes
    if settings.get("no-index", "").lower() in ("1", "on", "true", "yes"):
        options.append("--no-index")
    return options


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
