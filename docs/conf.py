"""The documentation site, which Sphinx builds from the Markdown pages of this repository (`make docs-site`).

Its source folder is the repository, so that links to pages and files lead where they do elsewhere. It opens
from disk and asks for nothing: fonts are the system's, equations are MathML.
"""

from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from pygments.lexers import PythonLexer
from sphinx.application import Sphinx

project = "memloc"
html_title = project
extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["docs/*.md", "config/README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
exclude_patterns = [".*", "results", "resources", "site", "tests", "workflow"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
html_theme = "furo"
html_math_renderer = "mathml"
html_extra_path = ["site"]  # the first page lies in docs/, as here: index.html leads to it
html_show_search_summary = False  # browsers do not let a page from disk read others
html_copy_source = False
html_show_copyright = False


def _mathml(visitor: Any, node: nodes.Element) -> None:
    """Write an equation as MathML, which browsers draw by themselves."""
    block = isinstance(node, nodes.math_block)
    equation = tex2mathml(node.astext(), as_block=block)
    visitor.body.append(f"<p>{equation}</p>" if block else equation)
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", (_mathml, None), (_mathml, None))
    app.add_lexer("snakemake", PythonLexer)
