"""Valid configs: defaults, studies of several models or seeds, and how settings are written down."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from made_configs import LARGE, SMALL, VALID
from snakemake.cli import parse_config

import config_keys
from memloc.settings import structure
from memloc.settings import study as study_module
from memloc.settings.errors import validate
from memloc.settings.study import Settings

ROOT = Path(__file__).parents[3]
SCHEMA = jsonschema.Draft202012Validator(json.loads(config_keys.json_schema()))
CONFIGS = sorted((ROOT / "config").rglob("*.yaml"))


def test_a_valid_config_has_the_defaults_of_the_paper():
    study = validate(VALID, "f")
    assert (study.paragraph.length, study.paragraph.prefix) == (100, 50)
    assert (study.sets.n_memorized, study.sets.n_non_memorized, study.sets.n_rare_tokens) == (50, 50, 1000)
    assert not any(value for key, value in study.expected if key != "filter")


def held(study, key):
    """What sections hold of a key of the study."""
    return {name: getattr(part, key) for name, part in study if hasattr(part, key)}


def test_sections_take_the_judging_texts_of_the_study():
    study = validate(VALID | {"n_judging": 3, "editing": {"steps": 2}}, "f")
    numbers = held(study, "n_judging")
    assert len(numbers) == 5 and set(numbers.values()) == {3} and study.editing.steps == 2
    assert validate(VALID, "f").editing.n_judging == 20


@pytest.mark.parametrize("named", [[], ["editing"], ["filters", "contrastive"], ["all"]])
def test_sections_that_are_named_do_as_the_authors(named):
    study = validate(VALID | {"reference": named}, "f")
    found = held(study, "reference")
    assert set(found) == set(study_module.REFERENCE)
    assert {name for name, does in found.items() if does} == set(found if named == ["all"] else named)
    weights = {name: getattr(study, name).nll_weight for name in ("contrastive", "editing")}
    assert weights == {name: 0.1 if found[name] else 1.0 for name in weights}


def test_config_files_are_valid_named_like_their_studies_and_point_editors_to_the_schema():
    for path in CONFIGS:
        config = yaml.safe_load(path.read_text())
        validate(config, path.name)
        SCHEMA.validate(config)
        assert config["study"] == {"config": "mini"}.get(path.stem, path.stem)
        schema = "../" * (len(path.relative_to(ROOT / "config").parts) - 1) + "schema.json"
        assert path.read_text().startswith(f"# yaml-language-server: $schema={schema}\n"), path.name


def test_one_of_several_models_is_a_study_with_the_settings_of_all():
    config = {"study": "x", "seed": 3, "data": {"source": "drawn"}, "reference": ["contrastive"]}
    study = validate(config | {"models": {"a": SMALL, "b": LARGE}}, "f")
    found = study_module.studies_by_model(study)
    for name, model in (("a", SMALL), ("b", LARGE)):
        assert found[name] == validate(config | {"study": f"x/{name}", "model": model}, "f")
        assert found[name].variant == name
    assert study.variant is None
    assert not study_module.are_trainings({"a": study.models["a"], "b": study.models["a"]}), "of one seed"


def test_a_study_with_another_seed_shares_data_model_and_scores():
    study = validate(VALID | {"seed": 3, "seeds": [0, 7], "detection": {"n_others": 9}}, "f")
    found = study_module.studies_by_seed(study)
    assert list(found) == ["seed-0", "seed-7"]
    expected = validate(VALID | {"study": "x/seed-7", "seed": 7, "detection": {"n_others": 9}}, "f")
    assert found["seed-7"] == expected
    assert expected.shared == study.shared == "x"
    assert validate(VALID | {"study": "x/other"}, "f").shared == "x/other"


def test_numbers_that_yaml_reads_as_text_are_numbers():
    config = yaml.safe_load("margin_threshold: 1e-3")
    assert config == {"margin_threshold": "1e-3"}
    assert validate({**VALID, "scores": config}, "f").scores.margin_threshold == 1e-3


@pytest.mark.parametrize(
    "entry",
    [
        "remove={ways: [top, kfac], n_joint: 8, kfac: [0.4, 1e-3], steering: [[0.25, 3.0]]}",
        "filters={keywords: ['2024', \"no\", '', 'a: 1'], min_unique: 0.2}",
        "patching={exact: true}",
        "highlight={layer: 0, head: 1}",
        "seeds=[4, 2]",
        "loading={micro_batch: 3}",
    ],
)
def test_values_of_the_command_line_are_those_of_a_config_file(entry):
    """Snakemake reads those within a section or a list as text."""
    key, _, value = entry.partition("=")
    found = validate(VALID | parse_config([entry]), "f")
    assert found == validate(VALID | {key: yaml.safe_load(value)}, "f")


def test_effective_settings_are_a_config_of_the_same_study():
    study = validate(VALID | {"n_judging": 3, "reference": ["editing"]}, "f")
    written = yaml.safe_dump(study.as_config(), sort_keys=False)
    assert validate(yaml.safe_load(written), "f") == study


def all_keys(section, prefix=""):
    for key in structure.own_keys(section):
        if key != "source":
            yield prefix + key
        for below in structure.sections_below(section).get(key, []):
            yield from all_keys(below, f"{prefix}{key}.")


def test_every_key_is_in_the_table_and_described():
    table = config_keys.key_table()
    for key in all_keys(Settings):
        row = re.search(rf"^\| \**`{re.escape(key)}`.*\| (.+) \|$", table, re.MULTILINE)
        assert row and row[1] not in ("None", ""), key
