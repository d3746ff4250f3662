"""What the command line gives has the types that it would have in a config file."""

import copy

import pytest
import yaml
from snakemake.cli import parse_config
from snakemake.utils import update_config

from memloc.settings.command_line import take_types

SECTIONS = {
    "remove": "{ways: [top, kfac], n_joint: 8, kfac: {shares: [0.4, 1e-3]}}",
    "detection": "{n_others: 3}",
    "edit_model": "{ids: [3, 17], n_controls: null}",
    "filters": "{keywords: ['2024', \"no\", '', '=', 'a: 1']}",
    "seeds": "[4, 2]",
    "estimate": "{paragraphs: 100}",
}
IN_FILE = {"remove": {"n_joint": 3, "n_single": 2}, "filters": {"min_unique": 0.5}}
IN_FILE |= {"study": "mine", "seeds": [1]}


def given(*entries, file=None):
    """The config of Snakemake with these entries on its command line, in their types."""
    config = copy.deepcopy(file or {})
    update_config(config, parse_config(entries))
    take_types(config, entries)
    return config


@pytest.mark.parametrize("key", SECTIONS)
@pytest.mark.parametrize("file", [{}, IN_FILE])
def test_values_of_a_section_are_those_of_a_config_file(key, file):
    expected = copy.deepcopy(file)
    update_config(expected, {key: yaml.safe_load(SECTIONS[key])})
    assert given(f"{key}={SECTIONS[key]}", file=file) == expected


def test_of_two_values_the_last_counts():
    expected = {"editing": {"steps": 3, "n_controls": 2}}
    assert given("editing={steps: 1, n_controls: 2}", "editing={steps: 3}") == expected


@pytest.mark.parametrize("entry", ["study=on", "shards=2", "seed=", "output={", "data=a: [b"])
def test_values_of_their_own_are_those_of_snakemake(entry):
    assert given(entry) == parse_config([entry])


@pytest.mark.parametrize("value", ["=", "2024-13-45", "<<"])
def test_what_no_file_could_hold_stays_text(value):
    assert given(f"filters={{keywords: [{value}]}}") == {"filters": {"keywords": [value]}}


def test_a_host_that_gives_a_module_other_values_is_heard():
    config = {"editing": {"n_paragraphs": 4, "steps": "5"}}
    take_types(config, ["editing={n_paragraphs: 3, steps: 5}", "remove={n_joint: 2}"])
    assert config == {"editing": {"n_paragraphs": 4, "steps": 5}}
