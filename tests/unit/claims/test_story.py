"""The story of a study: its claims by question, and links that a report can follow."""

from pathlib import Path

import docutils.core
import jinja2
import pandas as pd
import pytest

from memloc.claims import registry, story
from memloc.run.templates import fill
from memloc.tables.terms.claims import FAILS, HOLDS, NO_VALUE, TOO_FEW

REPORT = Path(__file__).parents[3] / "workflow/report"
TOPIC_OF = {claim.id: topic for topic in registry.topics().values() for claim in topic.claims}
KNOWN = {claim.id: claim for topic in registry.topics().values() for claim in topic.claims}
TOLD = [id for ids in story.QUESTIONS.values() for id in ids]


@pytest.fixture
def claims():
    """Every claim that is told, with the verdicts in turn."""
    rows = pd.DataFrame(
        [KNOWN[id].model_dump(include={"id", "statement", "quantity", "scale", "unit"}) for id in TOLD]
    )
    rows["data"] = [TOPIC_OF[id].data for id in TOLD]
    rows["figures"] = [" ".join(KNOWN[id].figures) for id in TOLD]
    verdicts = [(HOLDS, FAILS, TOO_FEW)[place % 3] for place in range(len(TOLD))]
    return rows.assign(verdict=verdicts, value=0.5, low=0.25, high=0.75, n=8)


def test_every_claim_that_is_told_is_registered_and_shown_in_a_figure():
    assert len(TOLD) == len(set(TOLD))
    assert [id for id in TOLD if id not in KNOWN or not KNOWN[id].figures] == []


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
