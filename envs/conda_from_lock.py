"""environment.yaml: the conda environment equivalent to requirements.lock (written by `make docs`)."""

HEADER = """\
# Generated from requirements.lock by `make docs`: the environment of every rule under --sdm conda.
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
