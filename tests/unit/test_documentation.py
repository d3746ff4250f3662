"""Generated parts of the documentation and of the environment files say what the code says."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


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


def test_what_is_between_the_markers_is_replaced(generate):
    text = generate.between("a\n<!-- x -->\nstale\n<!-- /x -->\nb\n", "x", "new\n")
    assert text == "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n"
