"""What the command line gives has the types that it would have in a config file."""

import pytest
import yaml
from snakemake.cli import parse_config

from memloc.settings.command_line import typed

GIVEN = {
    "shards": "2",
    "study": "on",
    "estimate": "{machine: a100}",
    "remove": "{ways: [top, kfac], n_joint: 8, kfac: {shares: [0.4]}}",
    "parameter_gradients": "{reference: true}",
    "edit_model": "{ids: [3, 17], setting: null}",
    "expected": "{text: 'a: 1'}",
}


@pytest.mark.parametrize("key", GIVEN)
def test_values_are_those_of_a_config_file(key):
    parsed = parse_config([f"{key}={GIVEN[key]}"])[key]
    assert typed(parsed) == ("on" if key == "study" else yaml.safe_load(GIVEN[key]))


def test_values_that_have_types_keep_them():
    assert typed({"a": (1, 2.5, None, "x")}) == {"a": [1, 2.5, None, "x"]}
