"""Write environment.yaml, the conda environment that is equivalent to requirements.lock (`make docs`)."""

from pathlib import Path

FOLDER = Path(__file__).parent
HEADER = """\
# Generated from requirements.lock by conda_from_lock.py: the environment of every rule under --sdm conda.
name: memloc
channels:
  - conda-forge
dependencies:
  - python >=3.11,<3.14
  - pip
  - pip:
"""


def environment(lock: str) -> str:
    """The conda environment file of a pip lock: the same packages, installed by pip into a conda Python."""
    packages = [line for line in lock.splitlines() if line and not line.startswith("#")]
    return HEADER + "".join(f'      - "{package}"\n' for package in packages)


if __name__ == "__main__":
    (FOLDER / "environment.yaml").write_text(environment((FOLDER / "requirements.lock").read_text()))
