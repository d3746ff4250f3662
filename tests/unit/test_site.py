"""The documentation site: every page has its place, equations are drawn, nothing comes from elsewhere."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
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


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, as `make docs-site` builds it."""
    if not find_spec("furo"):
        pytest.skip("Sphinx and its theme are not here: `make docs-site` installs them")
    folder = tmp_path_factory.mktemp("site")
    options = ["--quiet", "--fail-on-warning", "-c", "docs", "--doctree-dir", folder / "doctrees"]
    command = [sys.executable, "-m", "sphinx", *options, ".", folder / "site"]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return folder / "site"


def test_the_site_holds_every_page_and_its_pictures(site):
    assert (site / "index.html").exists()
    for page in PAGES:
        built = site / "docs" / f"{page.stem}.html"
        for picture in re.findall(r'<img [^>]*src="([^"]+)"', built.read_text()):
            assert (built.parent / picture).exists(), f"{page.name}: {picture}"


def test_the_site_loads_nothing_from_elsewhere(site):
    loaded = r'<(?:script|img|source|iframe)[^>]+src="([^"]+)"|<link[^>]+rel="stylesheet"[^>]+href="([^"]+)"'
    files = [*site.rglob("*.html"), *site.rglob("*.css")]
    assert len(files) > 20
    for file in files:
        found = [address for pair in re.findall(loaded, file.read_text()) for address in pair]
        found += re.findall(r"url\(['\"]?([^)]+)", file.read_text())
        assert not [address for address in found if re.match(r"(https?:)?//", address)], file.name
