"""Install requirements.lock and this project into the environment of the Python that runs this.

uv takes less processor time than pip. It does not read pip's settings (mirrors, local wheels, constraints,
certificates), so it is given them: else it may choose other builds. Where uv cannot be had or fails, pip
installs the same.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = str(ROOT / "envs/requirements.lock")
WHAT = ["--quiet", "--requirement", LOCK, "--editable", str(ROOT)]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
UV = [sys.executable, "-m", "uv", "pip", "install", "--python", sys.executable]

# pip's setting: uv's option, or the environment variable that uv reads.
OPTIONS = {
    "index-url": "--default-index",
    "extra-index-url": "--index",
    "find-links": "--find-links",
    "constraint": "--constraint",
    "trusted-host": "--allow-insecure-host",
}
VARIABLES = {"cert": "SSL_CERT_FILE", "proxy": "ALL_PROXY"}


def install() -> None:
    """Install with uv, else with pip.

    Raises:
        subprocess.CalledProcessError: pip failed too.
    """
    listing = subprocess.run([*PIP, "config", "list"], check=True, capture_output=True, text=True).stdout
    settings = pip_settings(listing)
    variables = {name: settings[key] for key, name in VARIABLES.items() if key in settings}
    # Python writes bytecode at the first import, which costs less than all of it here, unless it may not.
    compiled = ["--compile-bytecode"] if sys.dont_write_bytecode else []
    try:
        subprocess.run([*PIP, "install", "--quiet", "--constraint", LOCK, "uv"], check=True)
        subprocess.run([*UV, *uv_options(settings), *compiled, *WHAT], check=True, env=os.environ | variables)
    except subprocess.CalledProcessError:
        print("uv did not install the packages: pip does.", file=sys.stderr)
        subprocess.run([*PIP, "install", *WHAT], check=True)


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


if __name__ == "__main__":
    install()
