"""The registry: every entry can be read, computed, judged and shown."""

import importlib
import inspect
from copy import deepcopy

import numpy as np
import pytest
import yaml
from jaxtyping import Float
from pydantic import ValidationError

from memloc.claims import registry
from memloc.claims.named_head import Place
from memloc.claims.registry import Claim
from memloc.figures.catalog import FIGURES
from memloc.perturbation.effects import LARGE_DROP
from memloc.settings.study import Settings
from memloc.statistics.exact import Evidence
from memloc.tables.columns import Lengths
from memloc.tables.schemas import schema_of

TOPICS = registry.topics()
CLAIMS = [(topic, claim) for topic in TOPICS.values() for claim in topic.claims]
MOST = 40
ENTRY = {
    "id": "a_claim",
    "work": "2403.19851",
    "section": "4",
    "statement": "This is so.",
    "quantity": "by which it is so",
    "scale": "tokens",
    "matters": 1,
    "unit": "paragraph",
    "rule": "greater",
    "reason": "the text says so",
    "estimator": "an_estimator",
}


def claim(**changes):
    return Claim.model_validate(ENTRY | changes)


def test_statements_are_few_enough_to_be_read():
    assert 25 <= sum(len(topic.claims) for topic in TOPICS.values()) <= MOST


def test_tables_columns_and_settings_of_a_topic_exist():
    for topic in TOPICS.values():
        for name, columns in topic.tables.items():
            assert set(columns or ()) <= set(schema_of(name).columns(Lengths())), (topic.name, name)
        assert set(topic.settings) <= set(Settings.model_fields), topic.name


def test_estimators_say_what_they_do_take_the_arguments_and_give_what_can_reach_both_sides():
    """A share or median may lie on either side of its bound; the largest of several values could not."""
    for topic, claim in CLAIMS:
        module = importlib.import_module(f"memloc.claims.estimators.{topic.name}")
        estimator = getattr(module, claim.estimator)
        assert inspect.getdoc(estimator) and inspect.getdoc(module), claim.id
        inspect.signature(estimator).bind({}, {}, **claim.arguments)
        gives = inspect.signature(estimator).return_annotation
        of_layers = claim.unit == "layer" and str(gives) == str(Float[np.ndarray, "layer"])
        assert of_layers or gives is (Place if claim.over else Evidence), claim.id


def test_samples_of_claims_are_settings():
    for claim in (claim for _, claim in CLAIMS if claim.sample):
        section, key = claim.sample.split(".")
        assert key in Settings.model_fields[section].annotation.model_fields, claim.id


def test_claims_are_written_out_and_their_figures_exist():
    figures = {figure.name for figure in FIGURES if figure.only_for not in ("models", "checkpoints", "runs")}
    for _, claim in CLAIMS:
        assert claim.statement[0].isupper() or claim.statement[0].isdigit(), claim.id
        assert claim.statement.endswith(".") and not claim.quantity.endswith("."), claim.id
        assert not claim.reason.endswith(".") and len(claim.reason) > 15, claim.id
        assert set(claim.figures) <= figures, claim.id


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"matterz": 1}, "matterz"),
        ({"rule": "larger"}, "rule"),
        ({"unit": "sentence"}, "unit"),
        ({"statement": "This is so"}, "full stop"),
        ({"matters": 0}, "greater than 0"),
        ({"over": "seeds"}, "trainings"),
        ({"scale": "%", "bound": 0.9, "matters": 0.1}, "no share is beyond 80 % to 100 % on either side"),
        ({"scale": "%", "bound": 0.1, "matters": 0.1}, "no share is beyond"),
        ({"scale": "%", "bound": 0.1, "matters": 0.1, "rule": "at least"}, "no share is beyond"),
    ],
)
def test_an_entry_that_cannot_be_judged_is_an_error(changes, said):
    with pytest.raises(ValidationError, match=said):
        claim(**changes)


def written(folder, topics):
    file = folder / f"{len(topics)} topics.yaml"
    file.write_text(yaml.safe_dump(topics))
    return file


def test_two_claims_of_one_id_and_an_unknown_key_of_a_topic_are_errors(tmp_path):
    entry = {key: value for key, value in ENTRY.items() if key not in ("id", "estimator")}
    topic = {"tables": {"sets": None}, "claims": {"one": entry}}
    assert [found.id for found in registry.topics(written(tmp_path, {"a": topic}))["a"].claims] == ["one"]
    with pytest.raises(ValueError, match="more than one claim one"):
        registry.topics(written(tmp_path, {"a": topic, "b": deepcopy(topic)}))
    unknown = topic | {"figures": ["fig2"]}
    with pytest.raises(ValidationError, match="figures"):
        registry.topics(written(tmp_path, {"a": unknown, "b": {**topic, "claims": {}}, "c": unknown}))


def test_a_topics_settings_are_those_of_its_claims(tmp_path):
    entry = {key: value for key, value in ENTRY.items() if key not in ("id", "estimator")}
    own = entry | {"when": {"editing.reference": False}}
    common = {"sets.continuation": "model"}
    first = {"tables": {}, "when": common, "claims": {"one": entry, "two": own}}
    second = {"tables": {}, "settings": ["highlight"], "claims": {"three": entry}}
    found = registry.topics(written(tmp_path, {"a": first, "b": second}))
    assert [topic.sections for topic in found.values()] == [["editing", "sets"], ["highlight"]]
    assert [claim.when for claim in found["a"].claims] == [common, common | {"editing.reference": False}]


# Settings of analyses that change no statement, each with its reason.
SAY_THE_SAME = {
    "activation_gradients.reference": "the authors' code is another computation of the same quantity",
    "contrastive.reference": "as above",
    "editing.reference": "runs like the authors' are judged as ours are",
    "perturbation.reference": "position 0 is one of many",
    "remove.ways": "estimators say which way was not run",
    "sets.kinds": "memorized paragraphs are those that are taken",
}
ANALYSES = {name.partition(".")[0] for name in SAY_THE_SAME} | {"sets", "detection"}


def choices(section):
    """Settings of a section that are chosen from a few words, or are on or off."""
    for key, field in Settings.model_fields[section].annotation.model_fields.items():
        if field.annotation is bool or "Literal" in str(field.annotation):
            yield f"{section}.{key}"


def test_every_choice_of_an_analysis_is_named_by_claims_or_changes_no_statement():
    named = {key for topic in TOPICS.values() for claim in topic.claims for key in claim.when}
    found = {key for section in sorted(ANALYSES) for key in choices(section)}
    assert found == named | set(SAY_THE_SAME) and not named & set(SAY_THE_SAME)


def test_settings_that_a_statement_is_meant_for_exist():
    for claim in (claim for topic in TOPICS.values() for claim in topic.claims):
        for name, meant in claim.when.items():
            section, key = name.split(".")
            kind = Settings.model_fields[section].annotation
            assert getattr(kind.model_validate({key: meant}), key) == meant


def test_numbers_and_names_of_a_statement_are_those_that_are_judged():
    claims = {claim.id: claim for topic in TOPICS.values() for claim in topic.claims}
    assert f"{LARGE_DROP:g}" == "0.9" and "nine tenths" in claims["one_token_costs_most"].statement
    assert claims["perturbed_are_fluent"].matters == 0.25
    assert "a quarter of a nat" in claims["perturbed_are_fluent"].statement
    assert "1,000 draws" in claims["seen_come_out_more_than_unseen"].quantity
