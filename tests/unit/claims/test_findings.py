"""The lines that say what a study studied and found."""

from pathlib import Path
from types import SimpleNamespace

import docutils.core
import jinja2
import pandas as pd
import pytest

from memloc.claims import registry
from memloc.claims.findings import ANYWHERE, ONE_HEAD, READ, findings, studied
from memloc.run.templates import escaped, fill
from memloc.tables.columns import Lengths
from memloc.tables.schemas import schema_of
from memloc.tables.terms.claims import SAID, VERDICTS, outcomes

HOLDS, FAILS, NO_DIFFERENCE, TOO_FEW, NOT_APPLICABLE, ERROR = VERDICTS
REPORT = Path(__file__).parents[3] / "workflow/report"
SETTINGS = SimpleNamespace(paragraph=SimpleNamespace(prefix=10, continuation=4), highlight=None)
RANKED = [(0, 0, 2), (0, 1, 1), (1, 0, 3)]  # layer, head, rank: head 1 of layer 0 comes first


def rows(names, *values):
    return pd.DataFrame(values, columns=names.split())


@pytest.fixture
def tables():
    """Two of four paragraphs are recited, and one of three unseen ones."""
    kinds, em = ["memorized"] * 2 + ["non_memorized"] * 2 + ["unseen"] * 3, [4, 4, 0, 3, 4, 0, 0]
    replaced = [(0, "memorized", at, em) for at, em in ((-1, 4), (0, 4), (5, 4), (8, 0))]
    replaced += [(1, "memorized", 1, 4), (1, "memorized", 9, 4), (2, "non_memorized", 9, 0)]
    replaced += [(2, "non_memorized", at, em) for at, em in ((-1, 4), (1, 4), (7, 4), (8, 0))]
    without = [(0, 0, 4, 4), (0, 1, 3, 0), (1, 0, 4, 3)]  # layer, head, exact match of both paragraphs
    ablated = [("memorized", id, layer, head, em[id]) for layer, head, *em in without for id in (0, 1)]
    skipped = [(0, 0, 3, 4), (1, 4, 0, 3), (0, 4, 4, 2)]  # layer, exact match
    groups = ("memorized", "memorized", "non_memorized")  # whose exact matches these are
    bypassed = [(layer, *of) for layer, *em in skipped for of in zip(groups, em, strict=True)]
    ranked = [(method, *head) for method in ("combined", "patching") for head in RANKED]
    ranked += [("rare_tokens", 0, 0, 2), ("rare_tokens", 1, 0, 1)]
    edited = [
        (0, "unlearn", "all", 0, 1, 4),
        (0, "unlearn", "top", 3, 4, 4),
        (0, "unlearn", "random", 4, 4, 4),
    ]
    return {
        "sets": pd.DataFrame({"id": range(7), "set": kinds}),
        "scores": pd.DataFrame({"id": range(6, -1, -1), "em": em[::-1]}),
        "claims": rows("id verdict", (ONE_HEAD, TOO_FEW), (ANYWHERE, TOO_FEW)),
        "perturbation": rows("id set position em", *replaced),
        "head_ranking": rows("method layer head rank", *ranked),
        "layer_bypass": rows("layer group em", *bypassed),
        "head_ablation": rows("group id layer head em", *ablated, ("paired", 0, 0, 0, 0)),
        "edits": rows("id objective arm em_memorized em_other em_other_before", *edited),
    }


def judged(tables, **verdicts):
    return tables | {"claims": pd.DataFrame({"id": verdicts.keys(), "verdict": verdicts.values()})}


def test_each_question_of_the_story_has_a_line_and_so_have_the_claims(tables):
    assert findings(tables, SETTINGS) == [
        "What is memorized? 2 of 4 paragraphs (50 %): given the first 10 tokens, the model goes on word for "
        "word for 4 more. Of paragraphs that it never saw, it does so for 1 of 3 (33 %).",
        "What triggers it? Mostly the last tokens of the prefix. A random token in the last place stops "
        "recitation in 0 % of trials; in one of the 2 before, in 100 %; in one of the first 2, in 0 % "
        "(2 paragraphs). Its own continuations, of prefixes that it does not recite, change in 100 %, 50 %, "
        "0 %.",
        "Where is it? Too few paragraphs to tell heads apart; layer 1 matters most, to recited text. Without "
        "its attention or MLP, recited text keeps 2 of 4 tokens, other text 3; without another layer's, 3 "
        "and 3. The paper's 2 methods put 2 different heads first. Without head 1 of layer 0, the first on "
        "average, 2 of 2 recitations stop; without another one, 0.5 on average (0 to 1).",
        "Can it be removed? Yes. Of 2 edits, “top gradients” stops most for its cost: 1 of 1 recitation, one "
        "by one. Of 4 tokens, other text keeps 4.",
        "Which claims hold? 0 of 2 by Stoehr and others (2024), later work and us. 2 rest on too few data.",
    ]


@pytest.mark.parametrize(
    ("last", "before", "first", "most"),
    [
        (0, 4, 4, "Mostly the last token"),
        (0, 0, 4, "Mostly the last tokens"),
        (4, 4, 0, "Mostly the first tokens"),
        (0, 4, 0, "Tokens all over"),
    ],
)
def test_the_end_of_the_prefix_that_stops_most_is_named(tables, last, before, first, most):
    """What is left of 4 tokens after a replacement at the last place, before it, and at the first one."""
    places = ((9, last), (8, before), (0, first))
    trials = [(0, "memorized", place, left) for place, left in places]
    tables["perturbation"] = rows("id set position em", *trials)
    assert findings(tables, SETTINGS)[1].startswith(f"What triggers it? {most} ")


def test_the_lines_rest_on_columns_and_claims_that_exist(tables):
    known = {claim.id for topic in registry.topics().values() for claim in topic.claims}
    assert {ANYWHERE, ONE_HEAD} <= known
    for name, columns in READ.items():
        assert {*columns} <= schema_of(name).columns(Lengths()).keys()
        assert name not in tables or {*tables[name]} <= {*columns}


def test_without_unseen_text_there_is_nothing_to_compare_with(tables):
    tables["sets"] = tables["sets"].head(4)
    assert findings(tables, SETTINGS)[0].endswith("for 4 more. There are no unseen ones to compare with.")


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (HOLDS, "Head 1 of layer 0 leads in most tenths of the paragraphs"),
        (FAILS, "In no single head"),
        (NO_DIFFERENCE, "In no single head"),
        (NOT_APPLICABLE, "No claim is about one head"),
    ],
)
def test_a_head_leads_only_where_its_claim_holds(tables, verdict, said):
    line = findings(judged(tables, **{ONE_HEAD: verdict}), SETTINGS)[2]
    assert line.startswith(f"Where is it? {said}; layer 1 matters most, to recited text. Without its ")


def test_a_layer_without_which_other_text_is_lost_too_matters_to_any(tables):
    bypass = tables["layer_bypass"]
    bypass.loc[(bypass["group"] == "non_memorized") & (bypass["layer"] == 1), "em"] = 0
    assert "; layer 1 matters most, to any text. " in findings(tables, SETTINGS)[2]


def test_the_first_line_names_the_model_and_the_text_of_one_that_was_trained():
    model = {"name": "some/model", "n_parameters": 1234, "n_layers": 1, "n_heads": 2}
    shape = ": 1,234 weights in 1 layer of 2 heads."
    assert studied(model, None) == f"What was studied? some/model{shape}"
    stream = pd.DataFrame({"file": ["a/b.py", "c.py", None], "tokens": [[1] * 800, [2] * 199, [3]]})
    here = "What was studied? A model trained here on 1,000 tokens"
    assert studied(model, stream) == here + shape
    package = {"text": "transformers 5.0, Apache, 2 files"}
    assert studied(model | package, stream) == f"{here} (2 .py files of transformers 5.0){shape}"


def test_methods_that_agree_put_the_same_head_first(tables):
    rare = tables["head_ranking"]["method"] == "rare_tokens"
    tables["head_ranking"].loc[rare, ["layer", "head", "rank"]] = [(0, 1, 1), (0, 0, 2)]
    assert " The paper's 2 methods put the same head first. " in findings(tables, SETTINGS)[2]


def test_heads_that_tie_on_average_are_counted(tables):
    ranking = tables["head_ranking"]
    ranking.loc[(ranking["method"] == "combined") & (ranking["layer"] == 0), "rank"] = 1
    line = findings(tables, SETTINGS)[2]
    assert " Without head 0 of layer 0, one of 2 that are first on average, 0 of 2 " in line


def test_of_a_head_that_is_configured_no_claim_is_about(tables):
    configured = SimpleNamespace(paragraph=SETTINGS.paragraph, highlight=SimpleNamespace(layer=0, head=0))
    line = findings(judged(tables, **{ONE_HEAD: HOLDS}), configured)[2]
    assert line.startswith("Where is it? No claim is about one head; ")
    assert " Without head 0 of layer 0, that of the settings, 0 of 2 recitations stop; " in line


@pytest.mark.parametrize(("verdict", "warned"), [(FAILS, True), (HOLDS, False), (NOT_APPLICABLE, False)])
def test_a_warning_where_paragraphs_are_recited_at_their_own_place_only(tables, verdict, warned):
    line = findings(judged(tables, **{ANYWHERE: verdict}), SETTINGS)[0]
    assert ("not wherever they stand" in line) == warned


def test_of_ways_that_change_weights_the_best_removes_most_for_what_others_lose(tables):
    left = [("nothing", "joint", 0, 4), ("nothing", "joint", 1, 4), ("ngram_blocklist", "joint", 0, 0)]
    left += [("ngram_blocklist", "joint", 1, 0), ("all", "joint", 0, 0), ("all", "joint", 1, 0)]
    left += [("kfac", "joint", 0, 3), ("kfac", "joint", 1, 4), ("kfac", "single", 1, 0)]
    spared = ("nothing", "ngram_blocklist", "kfac")
    others = [(way, "joint", "memorized", 4) for way in spared]
    others += [("all", "joint", "memorized", 1), ("all", "joint", "held_out", 4)]
    others += [("nothing", "joint", "non_memorized", 4), ("all", "joint", "non_memorized", 0)]
    others += [("kfac", "joint", "non_memorized", 3), ("ngram_blocklist", "joint", "non_memorized", 2)]
    again = [4 - em if (way, mode) == ("kfac", "joint") else None for way, mode, _, em in left]
    tables |= {"removal": rows("way mode id em", *left).assign(relearning_steps=again)}
    tables |= {"removal_damage": rows("way mode group em", *others)}
    assert findings(tables, SETTINGS)[3] == (
        "Can it be removed? In part, at a cost. Of 2 edits, “low curvature (K-FAC)” stops most for its cost: "
        "1 of 2 recitations, together. Of 4 tokens, other recited text keeps 4, other text keeps 3. Brief "
        "retraining brings 1 of them back. A blocklist stops 2 and keeps 4 and 2."
    )


@pytest.mark.parametrize(
    ("em", "left", "answer"), [(3, 4, "Yes"), (3, 3, "Yes, at a cost"), (4, 4, "No"), (4, 3, "No, at a cost")]
)
def test_what_other_text_loses_is_said_first(tables, em, left, answer):
    """A way leaves so many of 4 tokens of the only recitation, and of other text."""
    tables["edits"] = tables["edits"].query("arm == 'top'").assign(em_memorized=em, em_other=left)
    assert findings(tables, SETTINGS)[3].startswith(
        f"Can it be removed? {answer}. Of 1 edit, “top gradients” "
    )


def test_every_verdict_has_its_words():
    assert {*SAID} == {*VERDICTS}


def test_claims_are_counted_by_verdict_and_those_that_fail_are_named(tables):
    works = "by Stoehr and others (2024), later work and us"
    found = {"a": HOLDS, "one_leads": FAILS, "b": HOLDS, "c": TOO_FEW, "d_e": FAILS}
    assert outcomes(found) == (
        f"2 of 5 {works}. 2 do not hold (“one leads”, “d e”), 1 rests on too few data."
    )
    alone = "1 cannot be tested in this run."
    assert outcomes({"a": NOT_APPLICABLE, "b": HOLDS}) == f"1 of 2 {works}. {alone}"
    assert outcomes({"a": HOLDS}) == f"1 of 1 {works}."
    line = findings(judged(tables, a=ERROR, b=HOLDS), SETTINGS)[4]
    assert line.endswith(" 1 could not be judged. See logs/claims.log for the errors.")


@pytest.mark.parametrize("linked", [True, False])
def test_the_report_opens_with_the_lines_of_each_model(linked):
    """Markup in them is text. The explorer is linked where the report holds it, which Snakemake knows."""
    models = {"base {{ 1 }}": [escaped("Head *a* of b_.")], "tuned": ["Second."]}
    numbers = {"study": "s", "settings": "c.yaml", "models": models}
    text = fill((REPORT / "story.rst").read_text(), numbers)
    rendered = jinja2.Template(text).render(files=[{"target": "index.html"}] * linked)
    target = "\n\n.. _index.html: index.html\n" * linked
    page = docutils.core.publish_parts(rendered + target, writer="html")["html_body"]
    told = ("base {{ 1 }}", "Head *a* of b_.", "tuned", "Second.", "The explorer")
    assert list(map(page.index, told)) == sorted(map(page.index, told)) and "system-message" not in page
    assert ('href="index.html"' in page) == linked
