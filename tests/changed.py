"""Names the tests of what changed since the last commit, and of what imports it: `make quick` runs them.

Chosen are test files that changed, and those that import a file that changed, directly or through one other.
Of modules in a folder of a room, which are loaded by their names, they are those of the room. The tests of
the house and its pages always run. Rules that changed have those of plans.
"""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from memloc.run import tracking

ROOT = Path(__file__).parents[1]
ALWAYS = ("tests/unit/test_rooms.py", "tests/unit/test_documentation.py")
OF_RULES = ("tests/workflow/test_dag.py", "tests/workflow/test_wrong_config.py")  # plans, and the linter


def changed_files(root: Path) -> set[Path]:
    """Files that differ from the last commit, new ones included; those of the last commit if none do."""

    def listed(*command: str) -> set[Path]:
        output = subprocess.run(
            ["git", *command], cwd=root, capture_output=True, text=True, check=True
        ).stdout
        return {(root / name).resolve() for name in output.splitlines()}

    now = listed("diff", "--name-only", "HEAD") | listed("ls-files", "--others", "--exclude-standard")
    return now or listed("diff", "--name-only", "HEAD~1", "HEAD")


def imports(file: Path, helpers: dict[str, Path]) -> set[Path]:
    """Modules of the library and helpers of the tests that a file imports."""
    named = set(re.findall(r"(?m)^\s*(?:from|import) (\w+)", file.read_text()))
    return {helpers[name] for name in named & helpers.keys()} | tracking.imports(file)


def chosen(changed: Iterable[Path], library: Iterable[Path], tests: Iterable[Path]) -> list[Path]:
    """Test files that changed, or import a file that changed, or one that imports such a file; those of rules
    if a Snakefile or a file of rules changed."""
    tests = sorted(path.resolve() for path in tests)
    files = [*tests, *(path.resolve() for path in library)]
    helpers = {path.stem: path for path in tests if not path.name.startswith("test_")}
    helpers |= {path.parent.name: path for path in files if path.parent.parent == tracking.PACKAGE.parent}
    imported = {path: imports(path, helpers) for path in files}
    once = {path for path in files if imported[path] & set(changed)} | set(changed)
    twice = {path for path in files if imported[path] & once} | once
    rooms = {path.relative_to(tracking.PACKAGE).parts[0] for path in changed if _in_a_folder(path)}
    found = twice | {path for path in tests if path.parent.name in rooms}
    rules = [
        ROOT / name
        for name in OF_RULES
        if any(path.suffix == ".smk" or path.name == "Snakefile" for path in changed)
    ]
    return [*(path for path in tests if path.name.startswith("test_") and path in found), *rules]


def _in_a_folder(module: Path) -> bool:
    """Whether it is a module of the library that lies in a folder of its room."""
    below = tracking.PACKAGE in module.parents
    return below and len(module.relative_to(tracking.PACKAGE).parts) > 2


def main() -> None:
    tests = [*(ROOT / "tests").glob("*.py"), *(ROOT / "tests/unit").rglob("*.py")]
    found = chosen(changed_files(ROOT), (ROOT / "workflow").rglob("*.py"), tests)
    print(*ALWAYS, *(path.relative_to(ROOT) for path in found if str(path.relative_to(ROOT)) not in ALWAYS))


if __name__ == "__main__":
    main()
