"""Project file, lock and conda file say the same, and the code imports only what they name."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = [line for line in (ROOT / "envs/requirements.lock").read_text().splitlines() if line[:1] not in "#"]
LOCKED = {canonicalize_name(Requirement(line).name): Requirement(line) for line in LOCK}
DOCS_LOCK = [line for line in (ROOT / "envs/docs.lock").read_text().splitlines() if line[:1] not in "#"]
DOCS_LOCKED = {canonicalize_name(Requirement(line).name): Requirement(line) for line in DOCS_LOCK}
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
REQUIRED = [Requirement(text) for text in PROJECT["dependencies"]]
OPTIONAL = [Requirement(text) for texts in PROJECT["optional-dependencies"].values() for text in texts]
PLUGIN = "snakemake_logger_plugin_memloc"
OWN = {"memloc", PLUGIN, "docs"} | {
    path.stem for folder in ("tests", "docs") for path in (ROOT / folder).rglob("*.py")
}


def names(requirements):
    return {canonicalize_name(requirement.name) for requirement in requirements}


def test_the_conda_file_is_the_lock():
    dependencies = yaml.safe_load((ROOT / "envs/environment.yaml").read_text())["dependencies"]
    assert dependencies[-1]["pip"] == LOCK
    python = next(text for text in dependencies if str(text).startswith("python "))
    assert python.removeprefix("python ") == PROJECT["requires-python"]


def test_the_lock_pins_everything_but_torch():
    loose = {name for name, locked in LOCKED.items() if not re.fullmatch(r"==[^,*]+", str(locked.specifier))}
    assert loose == {"torch"}
    assert "+" not in "".join(LOCK), "a build of torch for one kind of machine is named"
    assert not [locked for locked in LOCKED.values() if locked.url]
    assert len(LOCK) == len(LOCKED), "a package is locked twice"


def test_the_lock_satisfies_the_project():
    for requirement in (*REQUIRED, *OPTIONAL):
        locked, asked = (LOCKED | DOCS_LOCKED)[canonicalize_name(requirement.name)], requirement.specifier
        if locked.name == "torch":
            assert locked.specifier == asked
        else:
            pinned = str(locked.specifier).removeprefix("==")
            assert asked.contains(pinned, prereleases=True), requirement


def imported(folder):
    """Top-level modules that the Python files of a folder import, wherever in the file."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [node.module]
            yield from ((module.split(".")[0], path.name) for module in modules)


def undeclared(folder, requirements):
    distributions = packages_distributions()
    known = names(requirements)
    return {
        (module, file)
        for module, file in imported(folder)
        if module not in sys.stdlib_module_names and module not in OWN
        if not known & {canonicalize_name(name) for name in distributions.get(module, [module])}
    }


@pytest.mark.parametrize("folder", ["workflow/memloc", "workflow/scripts"])
def test_the_library_imports_what_the_project_requires(folder):
    assert undeclared(folder, REQUIRED) == set()


def test_the_tests_import_what_the_project_names():
    assert undeclared("tests", REQUIRED + OPTIONAL) == set()


def test_the_project_requires_nothing_that_it_does_not_use():
    distributions = packages_distributions()
    modules = {module for folder in ("workflow", "docs") for module, _ in imported(folder)}
    used = {canonicalize_name(name) for module in modules for name in distributions.get(module, [])}
    assert names(REQUIRED) - used <= {"snakemake", "accelerate"}


def test_what_is_installed_is_the_whole_library_and_the_console():
    """From one folder: only then an editable installation is a path, on which Snakemake finds its plugins."""
    installed = PYPROJECT["tool"]["setuptools"]
    packages = (ROOT / "workflow/memloc").rglob("__init__.py")
    rooms = {path.parent.relative_to(ROOT / "workflow") for path in packages}
    assert set(installed["packages"]) == {".".join(room.parts) for room in rooms} | {PLUGIN}
    assert installed["package-dir"] == {"": "workflow"} and (ROOT / "workflow" / PLUGIN).is_dir()
