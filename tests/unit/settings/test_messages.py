"""A wrong config gives one message: file, key path, what was given, what is allowed."""

from copy import deepcopy
from functools import reduce

import pytest
from made_configs import LARGE, SMALL, VALID, message

from memloc.run.errors import InputError
from memloc.settings.errors import REPLACED, validate

TEXT = {"model": ..., "data": {"source": "text", "files": ["a.txt"]}}
FILES = TEXT["data"]
CODE = {"source": "code"}
LOCAL, OTHER = ({"source": "local", "folder": folder} for folder in ("one", "other"))
RELEASE = {"data": {"source": "release"}, "model": {"source": "hub"}}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"parargaph": {}}, "parargaph: unknown key; did you mean paragraph?"),
        ({"scores": {"batch": 3}}, "scores.batch: unknown key; allowed here: margin_threshold"),
        ({"model": {"source": "embedded", "layers": 3}}, "model.layers: unknown key; did you mean n_layers?"),
        ({"editing": {"n_judging": 3}}, "editing.n_judging: n_judging is one key of the study"),
        ({"reference": ["scores"]}, "reference.0: given \"scores\"; allowed: 'all', 'filters'"),
        ({"sets": {"n_pairs": "many"}}, 'sets.n_pairs: given "many"; allowed: a valid integer'),
        ({"n_judging": True}, "n_judging: given true; allowed: a valid integer"),
        ({"n_judging": 0}, "n_judging: given 0; allowed: greater than or equal to 1"),
        ({"scores": 3}, "scores: given 3; allowed: a section with keys margin_threshold"),
        ({"data": "drawn"}, 'data: given "drawn"; allowed: a section with keys'),
        ({"loading": {"device": "tpu"}}, "loading.device: given \"tpu\"; allowed: 'auto', 'cpu' or 'cuda'"),
        ({"highlight": "first"}, 'highlight: given "first"; allowed: a section with keys head, layer'),
        ({"highlight": {"layer": -1, "head": 0}}, "highlight.layer: given -1; allowed: greater than"),
        ({"highlight": {"layer": 1}}, "highlight.head: missing"),
        ({"study": ...}, "study: missing"),
        ({"model": {"source": "local"}}, "model.folder: missing"),
        ({"data": {}}, 'data.source: missing; allowed: "code" or "drawn"'),
        ({"data": {"source": "pile"}}, 'data.source: given "pile"; allowed: "code" or "drawn"'),
        ({"study": "../b"}, 'study: given "../b"; allowed: String should match pattern'),
        ({"data": {"source": "tokens", "files": []}}, "data.files: given []; allowed: List should have"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_message_names_file_key_given_and_allowed(changes, said):
    text = message(**changes)
    assert text.startswith(f"config/mine.yaml: {said}") and len(text.splitlines()) == 1


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ({"a": SMALL}, "models: given {"),
        ({"a_b": SMALL, "b": LARGE}, 'models.a_b: given "a_b"; allowed: String should match pattern'),
        ({"a": SMALL | {"layers": 3}, "b": LARGE}, "models.a.layers: unknown key; did you mean n_layers?"),
        ({"a": {"source": "local"}, "b": LARGE}, "models.a.folder: missing"),
        ({"a": {"source": "pile"}, "b": LARGE}, 'models.a.source: given "pile"; allowed: "embedded"'),
        ({"a": {}, "b": LARGE}, "models.a.source: missing"),
        ({"a": 3, "b": LARGE}, "models.a: given 3; allowed: a section with keys"),
    ],
    ids=str,
)
def test_messages_name_the_model_of_several(models, said):
    text = message(model=..., models=models)
    assert text.startswith(f"config/mine.yaml: {said}") and len(text.splitlines()) == 1


@pytest.mark.parametrize("gone", REPLACED)
def test_what_is_gone_is_refused_with_what_replaced_it(gone):
    path, _, value = gone.partition(": ")
    config = deepcopy(VALID)
    *sections, key = path.split(".")
    reduce(lambda above, name: above.setdefault(name, {}), sections, config)[key] = value or 1
    said = f'given "{value}"; allowed' if value else "there is no such key any more"
    assert message(**config) == f"config/mine.yaml: {path}: {said}: {REPLACED[gone]}"
    if path.startswith("model."):
        models = {"a": config["model"], "b": SMALL}
        assert f"models.a.{path.removeprefix('model.')}: {said}" in message(model=..., models=models)


def test_every_wrong_key_has_its_line():
    lines = message(seed=-1, threads=0, editing={"x": 1, "n_judging": 2}).splitlines()
    expected = ["editing.n_judging", "editing.x", "seed", "threads"]
    assert sorted(line.split(": ")[1] for line in lines) == expected


@pytest.mark.parametrize("config", [None, [], "study"])
def test_a_config_that_is_no_mapping_is_explained(config):
    with pytest.raises(InputError, match="f: .top level.: given .*; allowed: a section with keys"):
        validate(config, "f")


def test_a_long_value_is_shortened():
    assert len(message(loading="x" * 5000)) < 300


GROWS = {"source": "embedded", "grown": {"kinds": ["grown_weights"]}}


def beyond(section, key, last, first, **others):
    """A section with the last value of a key that is allowed, and with the first one that is not."""
    return [{section: others | {key: value}} for value in (last, first)]


@pytest.mark.parametrize(
    ("allowed", "refused", "said"),
    [
        (
            {"model": GROWS, "data": {"source": "drawn", "n_unseen": 8}},
            {"model": GROWS, "data": {"source": "drawn", "n_unseen": 7}},
            "model.grown needs 8 unseen paragraphs, more than data.n_unseen",
        ),
        ({"remove": {"ids": [3]}}, {"remove": {"ids": [3, 3]}}, "listed more than once: 3"),
        (
            {"data": CODE, "counterfactual": {"n_models": 2}},
            {"data": CODE, "remove": {"ways": ["retrained"]}},
            "remove.ways: retrained needs drawn data",
        ),
        (
            TEXT | {"model": LOCAL},
            TEXT | {"model": LOCAL, "counterfactual": {"n_models": 2}},
            "counterfactual.n_models needs a model that the workflow trains",
        ),
        (
            TEXT | {"model": LOCAL},
            TEXT | {"model": LOCAL, "sets": {"kinds": ["recitation"]}},
            "sets.kinds needs a model that the workflow trains",
        ),
        ({"edit_model": {"way": "svd", "setting": 0.1}}, {"edit_model": {"way": "svd"}}, "svd needs setting"),
        *(
            (*beyond(section, "n_controls", 50, 51), f"{section}.n_controls must not exceed")
            for section in ("contrastive", "editing", "edit_model")
        ),
        ({"paragraph": {"length": 256, "prefix": 255}}, {"paragraph": {"prefix": 100}}, "smaller than"),
        ({}, {"paragraph": {"length": 257, "prefix": 50}}, "model.context must be at least paragraph.length"),
        (*beyond("data", "max_repeats", 9, 8, source="drawn", min_repeats=9), "min_repeats must not exceed"),
        (*beyond("loading", "device", "cuda", "cpu", gpus=2), "gpus above 1 need"),
        ({"model": SMALL}, {"model": SMALL | {"width": 60}}, "width must be a multiple of n_heads"),
        ({"capacity": {"widths": [64]}}, {"capacity": {"widths": [60]}}, "multiples of its n_heads"),
        ({"seed": 3, "seeds": [0, 1]}, {"seeds": [0]}, "seeds must differ"),
        ({}, {"seeds": [1, 1]}, "seeds must differ"),
        ({}, {"seeds": [1], "study": "x/a"}, "seeds need a study of one model"),
        ({}, {"model": ...}, "either model (a section) or models (several, by name)"),
        ({}, {"models": {"a": SMALL, "b": LARGE}}, "either model (a section) or models"),
        (
            RELEASE,
            {"data": RELEASE["data"]},
            "embedded model is trained by the workflow, on data of its own: set data.source to code or drawn",
        ),
        (TEXT | {"model": LOCAL}, {"model": LOCAL}, "local model is trained already: set data.source"),
        (
            TEXT | {"model": LOCAL, "paragraph": {"length": 60}},
            {"data": {"source": "text", "files": ["b.txt"], "checksums": {"b.txt": "0" * 64}}},
            "checksums: no address ends in b.txt",
        ),
        ({}, {"data": FILES | {"unseen": ["b.txt"], "counts": "n"}}, "leave out unseen"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_checks_across_keys_refuse_what_lies_just_beyond_their_limits(allowed, refused, said):
    config = {key: value for key, value in (VALID | allowed).items() if value is not ...}
    validate(config, "f")
    assert said in message(**refused)


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ({"a": LOCAL | {"step": 3}, "b": OTHER | {"step": 3}}, "step: either all models have different"),
        ({"a": LOCAL | {"step": 3}, "b": OTHER}, "step: either all models have different"),
        ({"seed-1": LOCAL, "b": OTHER}, "named like a seed of a study: seed-1"),
        ({"figures": LOCAL, "b": OTHER}, "named like a folder of the study: figures"),
    ],
)
def test_models_of_a_study_have_names_and_steps_of_their_own(models, said):
    assert said in message(**TEXT | {"models": models})
    embedded = {"a": SMALL, "b": LARGE, "seed-1b": SMALL | {"seed": 1}}
    validate(VALID | {"model": None, "models": embedded}, "f")
