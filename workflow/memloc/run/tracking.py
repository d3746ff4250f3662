"""Which code a script depends on, by content.

Snakemake does not see imports. A rule therefore carries, as a parameter, a hash of its script and of the
memloc modules that it imports, directly or through others; editing one of them reruns exactly these rules.
What Python does not see (comments, docstrings, formatting), descriptions of settings and the package's
version are not hashed: they change no number.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def code_hash(*files: Path) -> str:
    """Hash of what the files, and every memloc module that they import, transitively, do."""
    digest = hashlib.sha256()
    for file in sorted(dependencies(*files), key=str):
        digest.update(file.name.encode() + _code(file.read_text()))
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


@cache
def _code(text: str) -> bytes:
    """The syntax tree of a module without docstrings, descriptions of settings and `__version__`, as text."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Field":
            node.keywords = [keyword for keyword in node.keywords if keyword.arg != "description"]
    tree.body = [statement for statement in tree.body if not _is_version(statement)]
    return ast.dump(tree).encode()


def _is_version(statement: ast.stmt) -> bool:
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return any(isinstance(target, ast.Name) and target.id == "__version__" for target in targets)


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
