"""The files of the page: a template, styles and scripts as they are, and data as scripts.

Under file:// a browser neither fetches nor loads modules. So every file of data is a classic script that
hands its content to `memloc.receive`, and the page adds the script when it needs it.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import jinja2

PAGE = Path(__file__).parent / "page"
TEMPLATE = "index.html.jinja"
STYLES = ("base.css", "layout.css", "views.css", "tables.css")
# In the order in which the page loads them.
SCRIPTS = (
    "elements.js",
    "data.js",
    "state.js",
    "colours.js",
    "downloads.js",
    "scatter.js",
    "list.js",
    "tokens.js",
    "continuations.js",
    "maps.js",
    "tabs.js",
    "main.js",
)


def write_page(folder: Path, index: dict[str, Any]) -> None:
    """Write the page itself and its index into a folder."""
    loader = jinja2.FileSystemLoader(PAGE)
    strict = {"autoescape": True, "undefined": jinja2.StrictUndefined, "trim_blocks": True}
    environment = jinja2.Environment(loader=loader, **strict)
    text = environment.get_template(TEMPLATE).render(index=index, styles=STYLES, scripts=SCRIPTS)
    (folder / "index.html").write_text(text, encoding="utf-8")
    (folder / "page").mkdir()
    for name in (*STYLES, *SCRIPTS):
        shutil.copyfile(PAGE / name, folder / "page" / name)
    write_data(folder, "index", index)


def write_data(folder: Path, name: str, content: dict[str, Any]) -> None:
    """Write data that the page receives under a name.

    Raises:
        ValueError: a number is missing or infinite, which JSON does not know.
    """
    path = folder / "data" / f"{name}.js"
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    path.write_text(f'memloc.receive("{name}", {text});\n', encoding="utf-8")
