"""The documentation site: every page has its place, and equations are drawn."""

import re
from pathlib import Path

from docutils.utils.math.latex2mathml import tex2mathml

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
EQUATION = re.compile(r"(?s)\$\$(.+?)\$\$|\$(.+?)\$")


def test_every_page_has_one_place_in_the_navigation():
    index = (ROOT / "docs/index.md").read_text()
    listed = [
        line
        for block in re.findall(r"(?ms)^```\{toctree\}\n(.*?)^```", index)
        for line in block.splitlines()
        if line and not line.startswith(":")
    ]
    assert len(set(listed)) == len(listed)
    pages = {(ROOT / "docs" / f"{name}.md").resolve() for name in listed}
    assert pages >= set(PAGES) - {ROOT / "docs/index.md"} and all(page.exists() for page in pages)


def test_equations_can_be_drawn():
    for page in PAGES:
        text = re.sub(r"(?ms)^```.*?^```|`[^`\n]*`", "", page.read_text())
        for block, inline in EQUATION.findall(text):
            assert tex2mathml(block or inline, as_block=bool(block)).startswith("<math"), page.name
