"""The hash of a script's code covers its imports, direct and indirect, and nothing else."""

import os
import re
import shutil
from functools import cache
from pathlib import Path

import pytest

from memloc.run import tracking

WORKFLOW = Path(tracking.__file__).parents[2]
SCRIPTS = sorted((WORKFLOW / "scripts").glob("*.py"))
FILES = list((WORKFLOW / "memloc").rglob("*.py"))
NAMES = [".".join(path.relative_to(WORKFLOW).with_suffix("").parts) for path in FILES]
MODULES = {name.removesuffix(".__init__"): path for name, path in zip(NAMES, FILES, strict=True)}


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A small package: top imports middle (inside a function) imports low; alone imports none of them."""
    package = tmp_path / "memloc"
    files = {
        "__init__.py": "",
        "low.py": "VALUE = 1\n",
        "middle.py": "def f():\n    from memloc import low\n    return low.VALUE\n",
        "top.py": "import numpy\nimport memloc.middle\n",
        "alone.py": "import json\n",
        "circle.py": "from memloc.part import piece\n",
        "part/__init__.py": "",
        "part/piece.py": "from memloc import circle\n",
    }
    for name, text in files.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    monkeypatch.setattr(tracking, "PACKAGE", package)
    return package


def names(package, file):
    return {str(path.relative_to(package)) for path in tracking.dependencies(package / file)}


def test_imports_are_followed(library):
    assert names(library, "top.py") == {"top.py", "middle.py", "low.py", "__init__.py"}
    assert names(library, "alone.py") == {"alone.py"}


def test_circles_end(library):
    assert names(library, "circle.py") >= {"circle.py", "part/piece.py"}


@pytest.mark.parametrize(
    "block",
    [
        "if x:\n    {}",
        "if x:\n    pass\nelse:\n    {}",
        "try:\n    {}\nexcept E:\n    pass",
        "try:\n    pass\nexcept E:\n    {}",
        "try:\n    pass\nfinally:\n    {}",
        "for x in y:\n    pass\nelse:\n    {}",
        "with x:\n    while y:\n        {}",
        "match x:\n    case 1:\n        {}",
        "class C:\n    async def f(self):\n        {}",
    ],
)
def test_imports_are_found_in_every_block(library, block):
    (library / "alone.py").write_text(block.format("import memloc.low"))
    assert names(library, "alone.py") == {"alone.py", "low.py"}


def test_an_edit_changes_the_hash_of_users_only(library):
    before = {name: tracking.code_hash(library / f"{name}.py") for name in ("top", "middle", "low", "alone")}
    (library / "low.py").write_text("VALUE = 2\n")
    after = {name: tracking.code_hash(library / f"{name}.py") for name in before}
    assert {name for name in before if before[name] != after[name]} == {"top", "middle", "low"}


def test_the_hash_does_not_depend_on_the_place(library, tmp_path, monkeypatch):
    before = tracking.code_hash(library / "top.py", library / "alone.py")
    copy = shutil.copytree(library, tmp_path / "elsewhere" / "memloc")
    monkeypatch.setattr(tracking, "PACKAGE", copy)
    assert tracking.code_hash(copy / "alone.py", copy / "top.py") == before


CODE = """'Module.'


class A:
    'Class.'
    x: int = 3
    'Attribute.'

    def f(self):
        'Function.'
        return {'a': 1}  # comment


key: int = Field(1, description='Key.')
NAME = 'Name.'
columns = {'n': integer(0, meaning='Number.'), 'm': integer(0, meaning=f'{NAME} {1}.'), 'l': f'{NAME}{3}.'}
made = described(title='Title.', description=text_of(7))
"""


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("'Module.'", "'Another.'", False),
        ("        'Function.'\n", "", False),
        ("  # comment", "", False),
        ("{'a': 1}", "{\n            'a': 1,\n        }", False),
        ("'Key.'", "'Another.'", False),
        ("'Number.'", "'Another.'", False),
        ("    'Attribute.'\n", "", False),
        (", description='Key.'", "", False),
        ("} {1}.", "} {2} more.", False),
        ("'Name.'", "'Another.'", True),
        ("}{3}.", "}{4}.", True),
        ("'Title.'", "'Another.'", True),
        ("text_of(7)", "text_of(8)", True),
        ("return {'a': 1}", "return 'a.'", True),
        ("n': integer(0", "n': integer(1", True),
    ],
)
def test_the_hash_is_that_of_what_python_sees(library, old, new, changes):
    (library / "alone.py").write_text(CODE)
    before = tracking.code_hash(library / "alone.py")
    assert CODE.count(old) == 1
    (library / "alone.py").write_text(CODE.replace(old, new))
    assert (tracking.code_hash(library / "alone.py") != before) == changes


def test_texts_about_settings_and_columns_are_written_where_they_are_given():
    """Elsewhere, as in a variable, a change of words would rerun what uses the setting or the column."""
    files = [*(WORKFLOW / "memloc/settings").glob("*.py"), *(WORKFLOW / "memloc/tables").rglob("*.py")]
    for path, text in ((path, path.read_text()) for path in files):
        if re.search('(description|meaning)=f?"', text):
            other = re.sub(r'(?<=[\w)`}%])\."', ' or not."', text)
            codes = {tracking._module(each, WORKFLOW / "memloc").code for each in (text, other)}
            assert other != text and len(codes) == 1, path


def slow_dependencies(file):
    """Imports by their text, one level at a time."""
    found, more = set(), {file}
    while more:
        found |= more
        more = {path for importing in more for path in slow_imports(importing)} - found
    return found


@cache
def slow_imports(file):
    one_line_each = re.sub(r"\([^()]*\)", lambda match: match[0].replace("\n", " "), file.read_text())
    lines = [re.sub("[,()]", " ", line).split() for line in one_line_each.splitlines()]
    lines = [words for words in lines if words[:1] in (["from"], ["import"])]
    named = {words[1] for words in lines} | {f"{words[1]}.{name}" for words in lines for name in words[3:]}
    return {MODULES[name] for name in named & MODULES.keys()}


def test_dependencies_of_the_scripts():
    for script in SCRIPTS:
        assert tracking.dependencies(script) == slow_dependencies(script), script.name
        assert WORKFLOW / "memloc/run/rule.py" in tracking.dependencies(script), script.name


def test_every_file_of_a_folder_has_its_stamp(tmp_path):
    (tmp_path / "a").write_text("one")
    before = tracking.file_stamps(tmp_path)
    (tmp_path / "b").write_text("two")
    os.utime(tmp_path / "b", ns=(5, 5))
    (tmp_path / "b").replace(tmp_path / "a")
    assert before["a"][0] == 3 and tracking.file_stamps(tmp_path) == {"a": [3, 5]}
    assert tracking.file_stamps(tmp_path / "absent") == {}
