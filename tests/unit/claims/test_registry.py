"""The registry: every entry can be read, computed, judged and shown."""

import importlib
import inspect
import re
from copy import deepcopy

import pytest
import yaml
from pydantic import ValidationError

from memloc.claims import registry
from memloc.claims.estimators import editing, removal
from memloc.claims.registry import Claim
from memloc.figures import fig3
from memloc.figures.catalog import FIGURES
from memloc.settings.study import Settings
from memloc.tables.schema import Lengths
from memloc.tables.schemas import schema_of

TOPICS = registry.topics()
CLAIMS = [pytest.param(topic, claim, id=claim.id) for topic in TOPICS.values() for claim in topic.claims]
FEWEST = 25
ENTRY = {
    "id": "a_claim",
    "work": "2403.19851",
    "section": "4",
    "statement": "This is so.",
    "quantity": "tokens",
    "unit": "paragraph",
    "rule": "greater",
    "reason": "the text says so",
    "estimator": "an_estimator",
}


def claim(**changes):
    return Claim.model_validate(ENTRY | changes)


def test_there_are_enough_statements():
    assert sum(len(topic.claims) for topic in TOPICS.values()) >= FEWEST


@pytest.mark.parametrize("topic", TOPICS.values(), ids=list(TOPICS))
def test_tables_columns_and_settings_of_a_topic_exist(topic):
    for name, columns in topic.tables.items():
        known = schema_of(name).columns(Lengths())
        assert set(columns or ()) <= set(known), name
    assert set(topic.settings) <= set(Settings.model_fields)


@pytest.mark.parametrize(("topic", "claim"), CLAIMS)
def test_the_estimator_exists_says_what_it_does_and_takes_the_arguments(topic, claim):
    module = importlib.import_module(f"memloc.claims.estimators.{topic.name}")
    estimator = getattr(module, claim.estimator)
    assert inspect.getdoc(estimator) and inspect.getdoc(module)
    inspect.signature(estimator).bind({}, {}, **claim.arguments)


@pytest.mark.parametrize(("topic", "claim"), CLAIMS)
def test_a_claim_is_written_out_and_its_figures_exist(topic, claim):
    assert claim.statement[0].isupper() or claim.statement[0].isdigit()
    assert claim.statement.endswith(".") and not claim.quantity.endswith(".")
    assert not claim.reason.endswith(".") and len(claim.reason) > 15
    assert set(claim.figures) <= {
        figure.name for figure in FIGURES if figure.only_for not in ("models", "checkpoints", "seeds")
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"margn": 1}, "margn"),
        ({"rule": "larger"}, "rule"),
        ({"unit": "sentence"}, "unit"),
        ({"statement": "This is so"}, "full stop"),
        ({"around_published": True}, "no published value"),
        ({"rule": "exact", "published": 3}, "around_published"),
        ({"rule": "at least"}, "needs a margin"),
        ({"rule": "equal within", "margin": 0}, "needs a margin"),
        ({"rule": "reached"}, "needs a margin"),
        ({"margin": -1}, "needs a margin"),
        ({"only_for": "gpt-2"}, "only_for"),
    ],
)
def test_an_entry_that_cannot_be_judged_is_an_error(changes, said):
    with pytest.raises(ValidationError, match=said):
        claim(**changes)


def test_margins_that_are_shares_follow_the_continuation():
    assert claim(margin=0.04).scaled_margin(50) == 0.04
    assert claim(margin=0.04, margin_of="continuation").scaled_margin(50) == pytest.approx(2)


@pytest.mark.parametrize(
    ("rule", "bound"),
    [("greater", 13), ("at least", 7), ("reached", 13), ("equal within", 10), ("exact", 10)],
)
def test_bounds_lie_around_the_published_value_where_the_registry_says_so(rule, bound):
    entry = claim(rule=rule, margin=3, published=10, around_published=True)
    assert entry.bound(50) == bound
    if rule != "exact":
        assert claim(rule=rule, margin=3, published=10).bound(50) == bound - 10


def written(folder, topics):
    file = folder / f"{len(topics)} topics.yaml"
    file.write_text(yaml.safe_dump(topics))
    return file


def test_two_claims_of_one_id_are_an_error(tmp_path):
    entry = {key: value for key, value in ENTRY.items() if key not in ("id", "estimator")}
    topic = {"tables": {"sets": None}, "claims": {"one": entry}}
    assert [found.id for found in registry.topics(written(tmp_path, {"a": topic}))["a"].claims] == ["one"]
    with pytest.raises(ValueError, match="more than one claim one"):
        registry.topics(written(tmp_path, {"a": topic, "b": deepcopy(topic)}))


def test_an_unknown_key_of_a_topic_is_an_error(tmp_path):
    topic = {"tables": {"sets": None}, "claims": {}, "figures": ["fig2"]}
    with pytest.raises(ValidationError, match="figures"):
        registry.topics(written(tmp_path, {"a": topic}))


def test_a_figure_has_the_topics_of_its_claims():
    for figure in FIGURES:
        expected = [
            name for name, topic in TOPICS.items() if any(figure.name in c.figures for c in topic.claims)
        ]
        assert registry.topics_of_figure(figure.name) == expected


# How statements name what estimators are asked about.
PLANTED = {
    "HardConcrete masks": "hard_concrete",
    "Slimming masks": "slimming",
    "zeroing every neuron": "neuron_ablation",
    "integrated gradients": "integrated_gradients",
    "chance": "random",
    "largest gradient of": "parameter_gradient",
    "gradient of its values": "activation_gradient",
    "attention to rare tokens": "rare_tokens",
    "activation patching": "patching",
}
RANKINGS = {
    "the combined ranking": "combined",
    "parameter gradients": "parameter_gradient",
    "activation gradients": "activation_gradient",
    "attention to rare tokens": "rare_tokens",
    "activation patching": "patching",
}
WAYS = {
    "weights with the largest gradients": "top",
    "all weights": "all",
    "HardConcrete masks": "neurons_hard_concrete",
    "zero-out": "neurons_zero_out",
    "integrated gradients": "neurons_integrated_gradients",
    "blocklist": "ngram_blocklist",
    "an unlearned model": "all",
    "gradient ascent": "gradient_ascent",
    "that unlearning removed": "top",
}


@pytest.mark.parametrize(
    ("topic", "words", "keys"),
    [
        ("planted_truth", PLANTED, ("method", "rival")),
        ("cumulative_ablation", RANKINGS, ("method",)),
        ("removal", WAYS, ("way", "rival")),
        ("weight_noise", {"oise on": "noise", "eroing": "zero"}, ("kind",)),
    ],
)
def test_an_estimator_is_asked_about_what_the_statement_names_in_its_order(topic, words, keys):
    """Noise and zeroing are named twice."""
    for claim in TOPICS[topic].claims:
        places = {name: claim.statement.find(said) for said, name in words.items() if said in claim.statement}
        named = sorted(places, key=places.get)
        assert [claim.arguments[key] for key in keys if key in claim.arguments] == named, claim.id


def test_numbers_of_a_statement_are_those_that_are_judged():
    """Heads and layers that the paper names, published counts, and plants that may do no damage."""
    for claim in (claim for topic in TOPICS.values() for claim in topic.claims):
        if named := re.search(r"(?:head (\d+) of )?layer (\d+)", claim.statement):
            head, layer = named.groups()
            numbers = {"layer": int(layer)} | ({"head": int(head)} if head else {})
            assert numbers.items() <= claim.arguments.items() and claim.only_for
        if claim.rule == "exact":
            assert f"{claim.published:,.0f}" in claim.statement
        if claim.id.startswith("planted"):
            harmless = "leaves other text as it is" in claim.statement
            kind = "inj_1" if "value vectors" in claim.statement else "head_all" if harmless else "head_vo"
            assert claim.arguments["kind"] == kind
            assert claim.arguments.get("most_damage") == (0.05 if "5 % at most" in claim.reason else None)
            assert harmless == ("5 % at most" in claim.reason)


@pytest.mark.parametrize("topic", ["perturbation", "impact"])
def test_a_statement_names_its_paragraphs_and_tells_of_a_token_that_is_left_out(topic):
    for claim in TOPICS[topic].claims:
        group = claim.arguments.get("set", claim.arguments.get("group", "")).replace("_", "-")
        assert f"in {group} paragraphs" in claim.statement.lower() or not group
        assert (claim.arguments.get("last_token") == "without") == (" last" in claim.statement)


def test_what_counts_is_the_same_in_claims_and_figures():
    """Nine tenths of a continuation are a large drop; 4 % of it are nothing; half of it is unlearned."""
    claims = {claim.id: claim for topic in TOPICS.values() for claim in topic.claims}
    drops = [claim for claim in claims.values() if claim.estimator == "largest_drop"]
    assert len(drops) > 1 and {claim.margin for claim in drops} == {fig3.LARGE_DROP}
    nothing = [claim for claim in TOPICS["editing"].claims if claim.margin_of == "continuation"]
    assert len(nothing) > 3 and {claim.margin for claim in nothing} == {editing.NOTHING}
    assert editing.UNLEARNED == removal.REMOVED
