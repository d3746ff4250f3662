"""Which code a script depends on, by content.

Snakemake does not see imports. A rule therefore carries, as a parameter, a hash of its script and of the
memloc modules that it imports, directly or through others; editing one of them reruns exactly these rules.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent


def code_hash(*files: Path) -> str:
    """Hash of the files and of every memloc module they import, transitively."""
    digest = hashlib.sha256()
    for file in sorted(dependencies(*files), key=str):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def dependencies(*files: Path) -> set[Path]:
    """The files and the memloc modules that they import, transitively."""
    found: set[Path] = set()
    waiting = {Path(file).resolve() for file in files}
    while waiting:
        file = waiting.pop()
        found.add(file)
        waiting |= _imports(file) - found
    return found


@cache
def _imports(file: Path) -> frozenset[Path]:
    modules = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(path for module in modules if (path := _module_file(module)))


def _module_file(module: str) -> Path | None:
    top, *below = module.split(".")
    if top != PACKAGE.name:
        return None
    path = PACKAGE.joinpath(*below)
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def file_stamps(folder: Path | str) -> dict[str, list[int]]:
    """Size and time (ns) of the last change of every file of a folder: another file has another stamp.

    A folder's own time does not tell: a file that is overwritten, or moved in from elsewhere, may be older.
    """
    found = {path.name: path.stat() for path in sorted(Path(folder).glob("*")) if path.is_file()}
    return {name: [stat.st_size, stat.st_mtime_ns] for name, stat in found.items()}
