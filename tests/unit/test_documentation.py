"""Pages say what the code says, have their place on the site, and their equations can be drawn."""

import ast
import re
import sys
from fnmatch import fnmatch
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from docutils.utils.math.latex2mathml import tex2mathml

from memloc.settings.removal_ways import WAY_NAMES
from memloc.tables.schemas import STAGES

ROOT = Path(__file__).parents[2]
WIDTH = 110  # of prose, as of code
EQUATION = re.compile(r"(?s)\$\$(.+?)\$\$|\$(.+?)\$")


@pytest.fixture(scope="module")
def generate():
    """The script that `make docs` runs, as a module."""
    path = list(sys.path)
    spec = spec_from_file_location("generate", ROOT / "docs/generate.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path[:] = path


def test_generated_parts_are_up_to_date(generate):
    stale = [path.name for path, text in generate.generated().items() if path.read_text() != text]
    assert not stale, "run `make docs`"


def test_every_table_of_a_study_is_defined():
    defined = (ROOT / "docs/tables.md").read_text().partition("\n## Every table")[2]
    missing = [table for table in STAGES if f"`{table}`" not in defined]
    assert missing == []


def test_every_way_to_remove_is_described():
    """A name that ends with `*` stands for all that begin like it."""
    methods = (ROOT / "docs/methods.md").read_text().partition("\n## Ways to remove recitation\n")[2]
    described = re.findall(r"`([a-z_]+\*?)`", methods.partition("\n## ")[0])
    assert [way for way in WAY_NAMES if not any(fnmatch(way, name) for name in described)] == []


PAGES = ("*.md", "docs/*.md", "config/*.md", "re*/README.md")


def test_prose_is_wrapped_at_one_width():
    """Tables, pictures, what is in code blocks and what is generated may be longer."""
    for page in (page for pattern in PAGES for page in ROOT.glob(pattern)):
        text = re.sub(r"(?ms)^```.*?^```|^<!-- (\w+) -->.*?<!-- /\1 -->", "", page.read_text())
        lines = [line for line in text.splitlines() if not line.startswith(("|", "!["))]
        assert [line for line in lines if len(line) > WIDTH] == [], page.name


def said(path):
    """Texts of a file of Python; what is filled in is a line feed."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "\n" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_messages_of_the_faq_are_those_of_the_code():
    text = "\n".join(text for path in (ROOT / "workflow/memloc").rglob("*.py") for text in said(path))
    text += (ROOT / "Makefile").read_text()
    blocks = re.findall(r"(?ms)^```text\n(.*?)^```", (ROOT / "docs/faq.md").read_text())
    messages = [line for block in blocks for line in block.splitlines()]
    pieces = [piece.strip(" ()") for line in messages for piece in re.split(r"<[^>]+>", line)]
    assert len(messages) > 15
    assert [piece for piece in pieces if piece not in text] == []


def test_every_page_has_one_place_in_the_navigation():
    index = (ROOT / "docs/index.md").read_text()
    blocks = re.findall(r"(?ms)^```\{toctree\}\n(.*?)^```", index)
    listed = [line for block in blocks for line in block.splitlines() if line and line[0] != ":"]
    assert len(set(listed)) == len(listed)
    pages = {(ROOT / "docs" / f"{name}.md").resolve() for name in listed}
    assert pages >= {*(ROOT / "docs").glob("*.md")} - {ROOT / "docs/index.md"}
    assert all(page.exists() for page in pages)


def test_equations_can_be_drawn():
    for page in (ROOT / "docs").glob("*.md"):
        text = re.sub(r"(?ms)^```.*?^```|`[^`\n]*`", "", page.read_text())
        for block, inline in EQUATION.findall(text):
            assert tex2mathml(block or inline, as_block=bool(block)).startswith("<math"), page.name
