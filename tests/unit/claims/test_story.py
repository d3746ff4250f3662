"""The story of a study: its claims by question, its headline, and links that a report can follow."""

from pathlib import Path

import docutils.core
import jinja2
import pandas as pd
import pytest

from memloc.claims import registry, story
from memloc.run.templates import fill
from memloc.tables.terms.claims import ERROR, FAILS, HOLDS, NO_VALUE, NOT_APPLICABLE, UNDECIDED

REPORT = Path(__file__).parents[3] / "workflow/report"
TOPIC_OF = {claim.id: topic for topic in registry.topics().values() for claim in topic.claims}
KNOWN = {claim.id: claim for topic in registry.topics().values() for claim in topic.claims}
TOLD = [id for ids in story.QUESTIONS.values() for id in ids]


@pytest.fixture
def claims():
    """Every claim that is told, with the verdicts in turn."""
    rows = pd.DataFrame(
        [KNOWN[id].model_dump(include={"id", "statement", "quantity", "unit"}) for id in TOLD]
    )
    rows["data"] = [TOPIC_OF[id].data for id in TOLD]
    rows["figures"] = [" ".join(KNOWN[id].figures) for id in TOLD]
    verdicts = [(HOLDS, FAILS, UNDECIDED)[place % 3] for place in range(len(TOLD))]
    return rows.assign(verdict=verdicts, value=0.5, low=0.25, high=0.75, n=8, n_other=None)


SETS = pd.DataFrame({"set": ["memorized"] * 2 + ["non_memorized"] * 1998 + ["unseen"] * 50})


def test_every_claim_that_is_told_is_registered_and_shown_in_a_figure():
    assert len(TOLD) == len(set(TOLD))
    assert [id for id in (*TOLD, story.TRIGGERS) if id not in KNOWN or not KNOWN[id].figures] == []


def test_answers_are_those_of_the_table_in_the_order_of_the_questions(claims):
    told = story.answers(claims)
    assert list(told) == list(story.QUESTIONS)
    assert [answer["verdict"] for answers in told.values() for answer in answers] == claims.verdict.tolist()
    first = told["What triggers it?"][0]
    assert first["measured"].startswith("50 (25 to 75) % of the memorized paragraphs")
    assert first["measured"].endswith("n = 8 paragraphs") and '"fig3.png"' in first["figure"]
    figures = [KNOWN[id].figures[0] for id in TOLD]
    linked = [answer["figure"] for answers in told.values() for answer in answers]
    assert linked == [story.link(f"{figure}.png", figure) for figure in figures]


@pytest.mark.parametrize("verdict", NO_VALUE)
def test_what_has_no_value_is_not_told(claims, verdict):
    removal = claims.id.isin(story.QUESTIONS["Can it be removed?"])
    claims.loc[removal, "verdict"] = verdict
    assert list(story.answers(claims)) == list(story.QUESTIONS)[:-1]


def test_the_headline_counts_seen_paragraphs_and_verdicts(claims):
    claims.loc[claims.id == story.ANYWHERE, "verdict"] = HOLDS
    memorized, anywhere, triggers, verdicts = story.headline(SETS, claims)
    assert anywhere.startswith("50 (25 to 75) % of the memorized paragraphs are recited in every other place")
    assert memorized == "2 of 2,000 paragraphs are recited word for word."
    assert triggers.startswith("50 (25 to 75) % of the memorized paragraphs")
    families = claims.groupby("data").verdict.agg(set)
    holds, fails = (sum(verdict in found for found in families) for verdict in (HOLDS, FAILS))
    assert 0 < holds < len(families)
    assert verdicts == (
        f"Of the {len(families)} sets of data that claims rest on, {holds} speak for at least one claim, "
        f"and {fails} against at least one."
    )


def test_the_headline_leaves_out_what_was_not_measured(claims):
    claims.loc[claims.id.isin(story.TOLD), "verdict"] = NOT_APPLICABLE
    assert len(story.headline(SETS, claims)) == 2


@pytest.mark.parametrize("verdict", [HOLDS, FAILS, UNDECIDED, NOT_APPLICABLE])
def test_a_warning_where_paragraphs_are_recited_at_their_own_place_only(claims, verdict):
    claims.loc[claims.id == story.ANYWHERE, "verdict"] = verdict
    warned = "from position 0 and not wherever they stand" in " ".join(story.headline(SETS, claims))
    assert warned == bool(story.warning(claims)) == (verdict == FAILS)


def test_claims_whose_estimators_failed_are_named_at_once(claims):
    claims.loc[1:2, "verdict"], claims.loc[1:2, "value"] = ERROR, None
    _, second, *_ = story.headline(SETS, claims)
    named = f"No verdict on {TOLD[1]}, {TOLD[2]}: an error of the program, see logs/claims.log."
    assert second == story.warning(claims) == named
    claims.loc[1, "verdict"] = FAILS  # a warning of another kind
    both = story.warning(claims)
    assert both.startswith(f"No verdict on {TOLD[2]}: ") and both.endswith("is about that place.")


@pytest.mark.parametrize(("in_report", "expected"), [(["a.png"], "`a <a.png_>`__"), ([], "a")])
def test_a_link_is_plain_text_where_the_report_lacks_the_file(in_report, expected):
    files = [{"target": name} for name in in_report]
    assert jinja2.Template(story.link("a.png", "a")).render(files=files) == expected


def test_the_template_takes_what_the_script_gives_and_markup_in_it_is_text(claims):
    claims.loc[0, "statement"] = "Head *a* of b_."
    numbers = {"study": "s", "model": "m {{ 1 }}", "settings": "c.yaml", "explorer": "x"}
    numbers |= {"headline": ["First."], "questions": story.answers(claims)}
    text = fill((REPORT / "story.rst").read_text(), numbers)
    rendered = jinja2.Template(text).render(files=[{"target": "fig3.png"}])
    assert "* First." in rendered and "**Where is it?**" in rendered
    assert "(`fig3 <fig3.png_>`__)" in rendered and "(fig5)" in rendered
    page = docutils.core.publish_parts(rendered, writer="html")["html_body"]
    assert "m {{ 1 }}" in page and "Head *a* of b_." in page


def test_the_story_of_several_models_has_the_headline_of_each():
    numbers = {"study": "s", "models": {"base-7b": ["First."], "tuned-7b": ["Second."]}}
    text = fill((REPORT / "story_of_models.rst").read_text(), numbers)
    page = docutils.core.publish_parts(text, writer="html")["html_body"]
    assert page.index("base-7b") < page.index("First.") < page.index("tuned-7b") < page.index("Second.")
    assert "system-message" not in page
