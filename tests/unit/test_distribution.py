"""What others meet first says what the project says: continuous integration, container, package."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLUGIN = "snakemake_logger_plugin_memloc"


def test_what_is_installed_is_the_whole_library_and_the_console():
    """From one folder: only then an editable installation is a path, on which Snakemake finds its plugins."""
    installed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    packages = (ROOT / "workflow/memloc").rglob("__init__.py")
    rooms = {path.parent.relative_to(ROOT / "workflow") for path in packages}
    assert set(installed["packages"]) == {".".join(room.parts) for room in rooms} | {PLUGIN}
    assert installed["package-dir"] == {"": "workflow"}
    assert PLUGIN.startswith("snakemake_logger_plugin_") and (ROOT / "workflow" / PLUGIN).is_dir()
