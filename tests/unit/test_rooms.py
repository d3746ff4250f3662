"""The rooms of the library: imports go down the list only, without circles, and nothing imports figures."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import networkx
import pytest

import memloc

LIBRARY = Path(memloc.__file__).parent
# From the top down: a room imports itself and rooms below it.
ROOMS = (
    "command",
    "planning",
    "explorer",
    "figures",
    "claims",
    "published",
    "record",
    "removal",
    "planting",
    "localization",
    "editing",
    "perturbation",
    "detection",
    "scoring",
    "data",
    "model",
    "tables",
    "settings",
    "run",
    "statistics",
)


def module_of(path):
    return ".".join(path.relative_to(LIBRARY.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in sorted(LIBRARY.rglob("*.py"))}


def imports(path):
    """Modules of the library that a module imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in MODULES else node.module for name in names]
        found |= {name for name in names if name in MODULES}
    return found


IMPORTS = {module: imports(path) for module, path in MODULES.items()}


def room(module):
    return module.split(".")[1] if "." in module else "memloc"


def test_every_module_is_in_a_room_of_the_list():
    assert {room(module) for module in MODULES} == {"memloc", *ROOMS}
    assert {path.name for path in LIBRARY.glob("*.py")} == {"__init__.py"}


def test_imports_go_down_the_list():
    places = {name: place for place, name in enumerate(("memloc", *reversed(ROOMS)))}
    up = {
        (module, name)
        for module, found in IMPORTS.items()
        for name in found
        if places[room(name)] > places[room(module)]
    }
    assert up == {("memloc", "memloc.tables.finished")}


def test_what_is_imported_by_a_name_is_in_the_same_room():
    """Only the script of all figures, each of which is a module, imports one that it does not know."""
    by_name = re.compile(r'import_module\(f?"memloc\.(\w+)')
    for module, path in MODULES.items():
        assert set(by_name.findall(path.read_text())) <= {room(module)}, module
    scripts = (LIBRARY.parent / "scripts").glob("*.py")
    assert [path.name for path in scripts if "import_module" in path.read_text()] == ["figure.py"]


def test_there_are_no_circles():
    graph = networkx.DiGraph([(a, b) for a, found in IMPORTS.items() for b in found])
    assert list(networkx.simple_cycles(graph)) == []


def test_no_figure_imports_another():
    """What several figures share lies in figures/parts, so that an edit of one figure redraws it alone."""
    figures = {name for name in MODULES if name.startswith("memloc.figures.") and name.count(".") == 2}
    figures -= {"memloc.figures.catalog"}
    assert {module: found & figures for module, found in IMPORTS.items() if found & figures} == {}


def test_every_script_starts_its_job_before_it_imports_anything():
    """The start sets what libraries read when they are imported, and chooses GPUs; an error is logged."""
    for path in (LIBRARY.parent / "scripts").glob("*.py"):
        first = [ast.unparse(node) for node in ast.parse(path.read_text()).body[1:3]]
        assert first == ["from memloc.tables.job import start", "job = start(snakemake)"], path.name


HEAVY = {"torch", "transformers", "transformer_lens", "pandera", "sklearn", "scipy.stats", "scipy.optimize"}
SHORT = {
    "a figure": ("memloc.figures", HEAVY | {"tokenizers", "snakemake"}),
    "a claim": ("memloc.claims.e", HEAVY | {"matplotlib", "jinja2"}),
    "a reader of tables": ("memloc.tables", HEAVY | {"matplotlib", "jinja2", "scipy"}),
}


@pytest.mark.parametrize("who", SHORT)
def test_short_processes_load_no_heavy_library(who):
    """Each figure is a process, and most of it is imports: other libraries load where they compute."""
    name, without = SHORT[who]
    modules = [module for module in MODULES if module.startswith(name)]
    code = f"import sys, importlib as i; [i.import_module(name) for name in {modules}]; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert without & set(loaded.split()) == set()


def test_no_file_is_longer_than_a_reader_can_hold():
    long = {module: n for module, path in MODULES.items() if (n := len(path.read_text().splitlines())) >= 400}
    assert long == {}


def test_tests_lie_in_the_rooms_of_what_they_test():
    tests = Path(__file__).parent
    folders = {path.name for path in tests.iterdir() if path.is_dir() and any(path.glob("test_*.py"))}
    assert folders == set(ROOMS)


def test_random_numbers_have_a_seed():
    assert [name for name, path in MODULES.items() if "default_rng()" in path.read_text()] == []
