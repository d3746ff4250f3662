"""What others meet first says what the project says: continuous integration, container, package."""

import re
import tomllib
from pathlib import Path

import yaml
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PYTHONS = SpecifierSet(PROJECT["requires-python"])
PLUGIN = "snakemake_logger_plugin_memloc"
ALLOWED = [f"3.{minor}" for minor in range(8, 20) if f"3.{minor}.0" in PYTHONS]


def test_ci_runs_what_developers_run_on_every_python_that_the_project_allows():
    jobs = yaml.safe_load((ROOT / ".github/workflows/tests.yaml").read_text())["jobs"]
    assert jobs["tests"]["strategy"]["matrix"]["python"] == ALLOWED and jobs["tests"]["needs"] == "first"
    run = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    asked = {word for line in run for word in re.findall(r"(?:make |')([a-z-]+)\b", line)}
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text()))
    assert {"quick", "plans", "test", "test-all"} <= asked & targets
    assert "make test\n" in (ROOT / ".ci/run").read_text()


def test_the_container_has_the_locked_environment_and_starts_the_workflow():
    text = (ROOT / "envs/Dockerfile").read_text()
    assert re.search(r"(?m)^FROM python:(3\.\d+)-slim$", text)[1] in ALLOWED
    lines = text.splitlines()
    copied, installed = "COPY envs/requirements.lock envs/requirements.lock", "-r envs/requirements.lock"
    assert (ROOT / "envs/requirements.lock").exists() and copied in lines
    (install,) = [line for line in lines if installed in line]
    assert lines.index(copied) < lines.index(install)
    assert lines[-1] == 'CMD ["snakemake", "--cores", "all"]'
    # Results and environments of this machine stay out of it; all else is copied.
    assert {"results/*", "resources/*", ".venv"} <= set((ROOT / ".dockerignore").read_text().split())


def test_what_is_installed_is_the_whole_library_and_the_console():
    """From one folder: only then an editable installation is a path, on which Snakemake finds its plugins."""
    installed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    packages = (ROOT / "workflow/memloc").rglob("__init__.py")
    rooms = {path.parent.relative_to(ROOT / "workflow") for path in packages}
    assert set(installed["packages"]) == {".".join(room.parts) for room in rooms} | {PLUGIN}
    assert installed["package-dir"] == {"": "workflow"}
    assert PLUGIN.startswith("snakemake_logger_plugin_") and (ROOT / "workflow" / PLUGIN).is_dir()
