"""Write the generated parts of the documentation and of the environment files (`make docs`).

A test fails when one of them no longer says what the code says. If the full benchmark has run here, its page
becomes docs/benchmarks.md.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "workflow"), str(ROOT / "envs")]

import networkx  # noqa: E402
from conda_from_lock import environment  # noqa: E402

from memloc.figures.catalog import FIGURES  # noqa: E402
from memloc.model import families, memory  # noqa: E402
from memloc.settings import documentation  # noqa: E402


def figure_table() -> str:
    """Markdown table of every figure: target, what it shows, section of the paper, tables."""
    rows = ["| target | shows | paper | tables |", "|---|---|---|---|"]
    for figure in FIGURES:
        tables = ", ".join(f"`{name}`" for name in figure.tables)
        rows.append(f"| `{figure.name}` | {figure.title} | {figure.section} | {tables} |")
    return "\n".join(rows) + "\n"


def rule_graph() -> str:
    """The default study's real graph of the rules that compute its tables, as a mermaid block.

    Edges that follow from others are left out (transitive reduction).
    """
    command = [sys.executable, "-m", "snakemake", "tables", "--rulegraph", "mermaid-js"]
    graph = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = dict(re.findall(r"(id\d+)\[(.+)\]", graph))
    edges = [(names[a], names[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", graph)]
    reduced = networkx.transitive_reduction(networkx.DiGraph(edges)).edges
    lines = [f"  {above} --> {below}" for above, below in sorted(reduced) if below != "tables"]
    return "\n".join(["```mermaid", "flowchart TB", *lines, "```"]) + "\n"


def between(text: str, marker: str, content: str) -> str:
    """`text` with `content` between `<!-- marker -->` and `<!-- /marker -->`."""
    begin, end = f"<!-- {marker} -->\n", f"<!-- /{marker} -->\n"
    before, rest = text.split(begin)
    return before + begin + content + end + rest.split(end)[1]


def generated() -> dict[Path, str]:
    """Every file that has generated parts, as it should be."""
    readme = between((ROOT / "README.md").read_text(), "figures", figure_table())
    readme = between(readme, "families", f"{families.titles()}.\n")
    config, needed = ROOT / "config" / "README.md", ROOT / "docs" / "memory.md"
    memory_tables = between(needed.read_text(), "float32", memory.table("float32", checkpointing=False))
    memory_tables = between(memory_tables, "bfloat16", memory.table("bfloat16", checkpointing=True))
    return {
        ROOT / "README.md": between(readme, "rules", rule_graph()),
        config: documentation.with_key_table(config.read_text()),
        needed: memory_tables,
        ROOT / "config" / "schema.json": documentation.json_schema(),
        ROOT / "envs" / "environment.yaml": environment((ROOT / "envs" / "requirements.lock").read_text()),
    }


if __name__ == "__main__":
    for path, text in generated().items():
        path.write_text(text)
    if (measured := ROOT / "results/bench/benchmarks.md").exists():
        (ROOT / "docs/benchmarks.md").write_text(measured.read_text())
