"""A hash of the code that a script depends on.

Snakemake does not see imports. A rule therefore carries, as a parameter, a hash of its script and of the
memloc modules that it imports, directly or through others. Editing one of them reruns exactly these rules.
Comments, docstrings, formatting, and texts that are given as a setting's `description` or a column's
`meaning` are not hashed, since they change no number.
"""

import ast
import hashlib
from collections import deque
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[1]
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
TEXTS = ("description", "meaning")  # arguments that document a setting or a column
BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")  # of statements, in the order of their tree


class Module(NamedTuple):
    """A module's imports of memloc, and the hash of its syntax tree without what documents it."""

    imports: frozenset[Path]
    code: bytes


def code_hash(*files: Path) -> str:
    """Hash of the code of the files and of the memloc modules that they import, transitively."""
    digest = hashlib.sha256()
    for file in sorted(dependencies(*files), key=str):
        digest.update(file.name.encode() + _module(file.read_text(), PACKAGE).code)
    return digest.hexdigest()[:16]


def dependencies(*files: Path) -> set[Path]:
    """The files and the memloc modules that they import, transitively."""
    found: set[Path] = set()
    waiting = {Path(file).resolve() for file in files}
    while waiting:
        file = waiting.pop()
        found.add(file)
        waiting |= imports(file) - found
    return found


def imports(file: Path) -> frozenset[Path]:
    """The memloc modules that a file imports itself."""
    return _module(file.read_text(), PACKAGE).imports


@cache
def _module(text: str, package: Path) -> Module:
    tree, names = ast.parse(text), set()
    for node in statements(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, DOCUMENTED):
            node.body = [
                each for each in node.body if not (isinstance(each, ast.Expr) and _is_text(each.value))
            ]
    for node in ast.walk(tree) if any(f"{name}=" in text for name in TEXTS) else ():
        if isinstance(node, ast.Call):
            node.keywords = [
                each for each in node.keywords if each.arg not in TEXTS or not _is_text(each.value)
            ]
    paths = frozenset(path for name in names if (path := module_file(name, package)))
    return Module(paths, hashlib.sha256(ast.dump(tree).encode()).digest())


def statements(tree: ast.Module) -> Iterator[ast.AST]:
    """The nodes of a tree without expressions, which are most of it; level by level, as `ast.walk`."""
    waiting: deque[ast.AST] = deque([tree])
    while waiting:
        node = waiting.popleft()
        yield node
        waiting += (below for block in BLOCKS for below in getattr(node, block, ()))


def _is_text(node: ast.expr) -> bool:
    """Whether it is a string, with or without values in braces."""
    return isinstance(node, ast.JoinedStr) or isinstance(node, ast.Constant) and isinstance(node.value, str)


def module_file(module: str, package: Path) -> Path | None:
    """File of a module of the package; None if the module belongs to another one."""
    top, *below = module.split(".")
    if top != package.name:
        return None
    path = package.joinpath(*below)
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def file_stamps(folder: Path | str) -> dict[str, list[int]]:
    """Size and time (ns) of the last change of every file in a folder, which show whether a file is another.

    The folder's own time does not show it: a file may be overwritten, or an older one moved in.
    """
    found = {path.name: path.stat() for path in sorted(Path(folder).glob("*")) if path.is_file()}
    return {name: [stat.st_size, stat.st_mtime_ns] for name, stat in found.items()}
