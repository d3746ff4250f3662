"""Scripts get the sections that their rule tracks as frozen objects; another section or key is an error."""

import pytest
from made_configs import VALID
from pydantic import ValidationError

from memloc.settings.sections import sections
from memloc.settings.study import Settings


@pytest.fixture(scope="module")
def study() -> Settings:
    chosen = {"reference": ["editing"], "highlight": {"layer": 1, "head": 2}}
    return Settings(**VALID | chosen)


def test_every_section_comes_back_as_it_was(study):
    plain = study.model_dump(mode="json")
    again = sections(plain)
    assert {name: getattr(again, name) for name in plain} == {name: getattr(study, name) for name in plain}
    assert type(again.editing) is type(study.editing) and type(again.data) is type(study.data)
    assert again.editing.nll_weight == 0.1 and again.contrastive.nll_weight == 1.0


def test_what_the_rule_does_not_track_is_an_error(study):
    tracked = sections(study.model_dump(mode="json", include={"paragraph", "scores"}))
    assert tracked.scores == study.scores
    with pytest.raises(AttributeError, match="perturbation"):
        _ = tracked.perturbation
    with pytest.raises(AttributeError, match="threshold"):
        _ = tracked.scores.threshold
    with pytest.raises(KeyError, match="no_section"):
        sections({"no_section": {}})


def test_sections_are_frozen(study):
    tracked = sections(study.model_dump(mode="json", include={"scores"}))
    with pytest.raises(ValidationError, match="frozen"):
        tracked.scores.margin_threshold = 3
    with pytest.raises(ValidationError, match="frozen"):
        tracked.scores = None
