"""The files of the page: a template, styles and scripts as they are, and data as scripts.

Under file:// a browser neither fetches nor loads modules. So every file of data is a classic script that
hands its content to `memloc.receive`, and the page adds the script when it needs it.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2

PAGE = Path(__file__).parent / "page"
TEMPLATE = "index.html.jinja"
STYLES = ("base.css", "layout.css", "views.css", "tables.css")
# In the order in which the page loads them.
SCRIPTS = (
    *("elements.js", "data.js", "state.js", "colours.js", "downloads.js", "terms.js", "scatter.js"),
    *("list.js", "tokens.js", "continuations.js", "maps.js", "tabs.js", "main.js"),
)
COMPARISON = "compare.html.jinja"
COMPARISON_STYLES = ("base.css", "compare.css")
COMPARISON_SCRIPTS = ("elements.js", "compare.js")


def write_page(folder: Path, index: dict[str, Any]) -> None:
    """Write the page itself and its index into a folder."""
    _write_html(folder, TEMPLATE, STYLES, SCRIPTS, index=index)
    write_data(folder, "index", index)


def write_comparison(folder: Path, study: str, models: Sequence[str]) -> None:
    """Write the page of a study of several models; their own pages lie in ../<model>/explorer."""
    _write_html(folder, COMPARISON, COMPARISON_STYLES, COMPARISON_SCRIPTS, study=study, models=models)


def _write_html(
    folder: Path, template: str, styles: Sequence[str], scripts: Sequence[str], **values: Any
) -> None:
    loader = jinja2.FileSystemLoader(PAGE)
    strict = {"autoescape": True, "undefined": jinja2.StrictUndefined, "trim_blocks": True}
    page = jinja2.Environment(loader=loader, **strict).get_template(template)
    text = page.render(styles=styles, scripts=scripts, **values)
    (folder / "index.html").write_text(text, encoding="utf-8")
    (folder / "page").mkdir()
    for name in (*styles, *scripts):
        shutil.copyfile(PAGE / name, folder / "page" / name)


def write_data(folder: Path, name: str, content: dict[str, Any]) -> None:
    """Write data that the page receives under a name.

    Raises:
        ValueError: a number is missing or infinite, which JSON does not know.
    """
    path = folder / "data" / f"{name}.js"
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    path.write_text(f'memloc.receive("{name}", {text});\n', encoding="utf-8")
