"""Write the generated parts of the documentation and of the environment files (`make docs`).

A test fails when one of them no longer says what the code says.
"""

import inspect
import json
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "workflow"), str(ROOT / "envs")]

import networkx  # noqa: E402
from conda_from_lock import environment  # noqa: E402

import config_keys  # noqa: E402
import found  # noqa: E402
from memloc import open_study  # noqa: E402
from memloc.figures.catalog import FIGURES  # noqa: E402
from memloc.figures.parts.methods import method_label  # noqa: E402
from memloc.localization import head_scores  # noqa: E402
from memloc.model.families import FAMILIES  # noqa: E402
from memloc.planning.work import NEEDS, megabytes  # noqa: E402
from memloc.planting.methods import function_of  # noqa: E402
from memloc.settings.loading import Loading  # noqa: E402
from memloc.settings.methods import ENSEMBLE, METHODS, UNITS  # noqa: E402
from memloc.tables.columns import Column, Lengths  # noqa: E402
from memloc.tables.schemas import STAGES, schema_of  # noqa: E402
from memloc.tables.terms.head_ranking import PAPER_METHODS  # noqa: E402
from memloc.tables.terms.words import WORDS  # noqa: E402

WIDTH = 110
FOUND = ROOT / "docs/found.json"


def figure_table() -> str:
    """Markdown table of every figure: target, what it shows, section of the paper, tables."""
    rows = ["| target | shows | paper | tables |", "|---|---|---|---|"]
    for figure in FIGURES:
        tables = ", ".join(f"`{name}`" for name in figure.tables)
        rows.append(f"| `{figure.name}` | {figure.title} | {figure.section} | {tables} |")
    return "\n".join(rows) + "\n"


def rule_table() -> str:
    """Markdown table of the rules that compute the default study's tables, from its real graph.

    Rules that are needed through others are left out (transitive reduction).
    """
    command = [sys.executable, "-m", "snakemake", "tables", "--rulegraph", "mermaid-js"]
    graph = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = dict(re.findall(r"(id\d+)\[(.+)\]", graph))
    edges = [(names[a], names[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", graph)]
    reduced = networkx.transitive_reduction(networkx.DiGraph(edges))
    rows = ["| rule | needs |", "|---|---|"]
    for rule in networkx.lexicographical_topological_sort(reduced):
        if rule != "tables":
            rows.append(
                f"| `{rule}` | {', '.join(f'`{name}`' for name in sorted(reduced.predecessors(rule)))} |"
            )
    return "\n".join(rows) + "\n"


def column_tables() -> str:
    """A heading and a Markdown table of the columns of every table, by stage."""
    parts = []
    for table, stage in sorted(STAGES.items(), key=lambda pair: (pair[1], pair[0])):
        rows = [
            f"## `{table}`\n",
            f"Stage `{stage}`.\n",
            "| column | type | values | unit | meaning |",
            "|---|---|---|---|---|",
        ]
        for name, column in schema_of(table).columns(Lengths()).items():
            meaning = column.meaning.replace("|", "\\|")
            rows.append(f"| `{name}` | {column.dtype} | {values(column)} | {column.unit or ''} | {meaning} |")
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)


def values(column: Column) -> str:
    """What a column may hold: limits, or names; nothing to say of the rest."""
    low, high = column.low, column.high
    if column.values:
        found = ", ".join(f"`{name}`" if name else "empty" for name in column.values)
    elif low is None:
        found = "" if high is None else f"at most {high:g}"
    else:
        found = f"at least {low:g}" if high is None else f"{low:g} to {high:g}"
    if not column.nullable:
        return found
    return f"{found}, or missing" if found else "may be missing"


def method_lists() -> str:
    """Markdown lists of the localization methods, by the units that they score."""
    scores = {name: said(function_of(name)) for name in METHODS}
    left_out = ", ".join(f"`{name}`" for name, method in METHODS.items() if not method.in_ensemble)
    scores[ENSEMBLE] = f"Mean rank of all but {left_out}."
    units = {name: method.units for name, method in METHODS.items()} | {ENSEMBLE: UNITS}
    lists = []
    for scored in dict.fromkeys(units.values()):
        items = [f"- `{name}`: {scores[name]}" for name in scores if units[name] == scored]
        *others, last = (f"{unit}s" for unit in scored)
        lists.append("\n".join([f"Methods for {', '.join(others)} and {last}:", "", *map(wrapped, items)]))
    return "\n\n".join(lists) + "\n"


def ranking_list() -> str:
    """Markdown list of the methods that rank heads in every study, and what their functions say."""
    scores = {name: getattr(head_scores, f"{name}_scores") for name in PAPER_METHODS}
    items = [f"- {method_label(name)} (`{name}`): {said(function)}" for name, function in scores.items()]
    return "\n".join(map(wrapped, items)) + "\n"


def ranking_sentence() -> str:
    """The same methods in a sentence."""
    *others, last = map(method_label, PAPER_METHODS)
    return textwrap.fill(f"The heads are ranked by {', '.join(others)}, and {last}.", WIDTH) + "\n"


def word_list() -> str:
    """Markdown list of the words of captions and explorer."""
    words = sorted(WORDS.items(), key=lambda word: word[0].lower())
    return "\n".join(wrapped(f"- **{word}**: {meaning}") for word, meaning in words) + "\n"


def family_sentence() -> str:
    """The supported families of models in one line, without a full stop."""
    return ", ".join(family.title for family in FAMILIES.values())


def memory_table() -> str:
    """Markdown table of what rules of each kind ask for, in GB, by default and in half precision."""
    half = Loading(dtype="bfloat16")
    in_half = [kind for kind in NEEDS if megabytes(kind, 1e9, half) < megabytes(kind, 1e9, Loading())]
    rows = [
        f"| parameters | {' | '.join([*NEEDS, *(f'{kind}, bfloat16' for kind in in_half)])} |",
        "|---" * (1 + len(NEEDS) + len(in_half)) + "|",
    ]
    needs = [f"{NEEDS[kind][0] / 1e9:g} + {NEEDS[kind][1]:g} x weights" for kind in [*NEEDS, *in_half]]
    rows.append(f"| any | {' | '.join(needs)} |")
    sizes = {
        "70M": 70e6,
        "125M": 125e6,
        "410M": 410e6,
        "1.4B": 1.4e9,
        "2.7B": 2.7e9,
        "6.9B": 6.9e9,
        "12B": 12e9,
    }
    for size, n_weights in sizes.items():
        asked = [megabytes(kind, n_weights, Loading()) for kind in NEEDS]
        asked += [megabytes(kind, n_weights, half) for kind in in_half]
        rows.append(f"| {size} | {' | '.join(f'{each / 1e3:.1f}' for each in asked)} |")
    return "\n".join(rows) + "\n"


def with_found(text: str) -> str:
    """A page with the sentences of the runs that `make docs` was last given."""
    for name, content in json.loads(FOUND.read_text()).items():
        if f"<!-- {name} -->" in text:
            text = between(text, name, content)
    return text


def wrapped(item: str) -> str:
    """An item of a list, wrapped."""
    return textwrap.fill(item, WIDTH, subsequent_indent="  ")


def said(function: Callable) -> str:
    """The first paragraph of a function's docstring, in a line."""
    return " ".join(inspect.getdoc(function).split("\n\n")[0].split())


def between(text: str, marker: str, content: str) -> str:
    """`text` with `content` between `<!-- marker -->` and `<!-- /marker -->`."""
    begin, end = f"<!-- {marker} -->\n", f"<!-- /{marker} -->\n"
    before, rest = text.split(begin)
    return before + begin + content + end + rest.split(end)[1]


def generated() -> dict[Path, str]:
    """Every file that has generated parts, as it should be."""
    names = ("figures", "columns", "own-text", "methods", "planting", "tutorial")
    figures, columns, own_text, methods, planting, tutorial = (ROOT / f"docs/{name}.md" for name in names)
    listed = between(with_found(methods.read_text()), "methods", method_lists())
    targets = between(figures.read_text(), "figures", figure_table())
    config, needed, readme = (ROOT / name for name in ("config/README.md", "docs/memory.md", "README.md"))
    words = ROOT / "docs/words.md"
    return {
        figures: between(targets, "rules", rule_table()),
        columns: between(columns.read_text(), "columns", column_tables()),
        own_text: between(own_text.read_text(), "families", f"{family_sentence()}.\n"),
        readme: with_found(readme.read_text()),
        words: between(words.read_text(), "words", word_list()),
        methods: between(listed, "rankings", ranking_list()),
        planting: with_found(planting.read_text()),
        tutorial: between(with_found(tutorial.read_text()), "rankings", ranking_sentence()),
        config: between(config.read_text(), "keys", config_keys.key_table()),
        needed: between(needed.read_text(), "memory", memory_table()),
        ROOT / "config" / "schema.json": config_keys.json_schema(),
        ROOT / "envs" / "environment.yaml": environment((ROOT / "envs" / "requirements.lock").read_text()),
    }


if __name__ == "__main__":
    for study in map(Path, sys.argv[1:]):
        told = found.told_by(open_study(study), WIDTH)
        FOUND.write_text(json.dumps(json.loads(FOUND.read_text()) | told, indent=1) + "\n")
        for picture in (ROOT / "docs/images").iterdir():
            drawn = study / "figures" / picture.name
            of = found.CAPTIONED.get(picture.stem)
            if drawn.exists() and (of == study.name if of else "headline" in told):
                shutil.copyfile(drawn, picture)
    for path, text in generated().items():
        path.write_text(text)
