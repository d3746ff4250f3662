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
from memloc.tables.terms.claims import (
    ERROR,
    FAILS,
    HOLDS,
    NO_DIFFERENCE,
    NOT_APPLICABLE,
    SAID,
    TOO_FEW,
    VERDICTS,
    outcomes,
)

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
    without = [(0, 0, 4, 4), (0, 1, 3, 0), (1, 0, 4, 3)]  # layer, head, exact match of both paragraphs
    ablated = [("memorized", id, layer, head, em[id]) for layer, head, *em in without for id in (0, 1)]
    skipped = [("attention", 0, 0, 3, 4), ("attention", 1, 4, 0, 3), ("mlp", 0, 4, 4, 2)]
    groups = ("memorized", "memorized", "non_memorized")  # whose exact matches these are
    bypassed = [(block, layer, *of) for block, layer, *em in skipped for of in zip(groups, em, strict=True)]
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
        "layer_bypass": rows("block layer group em", *bypassed),
        "head_ablation": rows("group id layer head em", *ablated, ("paired", 0, 0, 0, 0)),
        "edits": rows("id objective arm em_memorized em_other em_other_before", *edited),
    }


def judged(tables, **verdicts):
    return tables | {"claims": pd.DataFrame({"id": verdicts.keys(), "verdict": verdicts.values()})}


def test_each_question_of_the_story_has_a_line_and_so_have_the_claims(tables):
    assert findings(tables, SETTINGS) == [
        "What is memorized? 2 of 4 paragraphs (50 %): given the first 10 tokens, the model goes on word for "
        "word for 4 more. So do, without memory, 1 of 3 (33 %) that it never saw.",
        "What triggers it? Mostly the last tokens of the prefix. A random token in the last of 10 places "
        "stops recitation in 0 % of trials, in one of the last 2 in 50 %, in one of the first 2 in 0 % "
        "(2 paragraphs).",
        "Where is it? Too few paragraphs to tell heads apart; layer 1 matters most, to recited text. Without "
        "its attention or MLP, 2 of 4 recited tokens stay, without those of another layer 3; of text after "
        "other prefixes, 3 and 3. 2 methods put 2 different heads first; without the head of interest (1 of "
        "layer 0: first on average), 2 of 2 recitations stop, without another head 0.5 on average and 1 at "
        "most.",
        "Can it be removed? Yes: 1 of 1 recitation stop, and other text stays. Of 4 tokens, the best of 2 "
        "edits (top gradients, a paragraph at a time) leaves 4 in text after other prefixes.",
        "Which claims hold? 2 rest on too few data: 2 claims of Stoehr and others (2024), of later work and "
        "of ours.",
    ]


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
        (HOLDS, "One head leads, whichever paragraphs are drawn"),
        (FAILS, "No head stands out"),
        (NO_DIFFERENCE, "No head stands out"),
        (NOT_APPLICABLE, "No claim is about one head"),
    ],
)
def test_a_head_leads_only_where_its_claim_holds(tables, verdict, said):
    line = findings(judged(tables, **{ONE_HEAD: verdict}), SETTINGS)[2]
    assert line.startswith(f"Where is it? {said}; layer 1 matters most, to recited text. Without its")


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
    tables["head_ranking"].loc[tables["head_ranking"]["method"] == "rare_tokens", "head"] = 1
    tables["head_ranking"].loc[tables["head_ranking"]["layer"] == 1, "rank"] = 3
    assert " 2 methods put the same head first;" in findings(tables, SETTINGS)[2]


def test_of_a_head_that_is_configured_no_claim_is_about(tables):
    configured = SimpleNamespace(paragraph=SETTINGS.paragraph, highlight=SimpleNamespace(layer=0, head=0))
    line = findings(judged(tables, **{ONE_HEAD: HOLDS}), configured)[2]
    assert line.startswith("Where is it? No claim is about one head; ")
    assert "the head of interest (0 of layer 0: that of the settings), 0 of 2 recitations stop" in line


@pytest.mark.parametrize(("verdict", "warned"), [(FAILS, True), (HOLDS, False), (NOT_APPLICABLE, False)])
def test_a_warning_where_paragraphs_are_recited_at_their_own_place_only(tables, verdict, warned):
    assert (
        "not wherever they stand" in findings(judged(tables, **{ANYWHERE: verdict}), SETTINGS)[0]
    ) == warned


def test_of_ways_that_change_weights_the_best_removes_most_for_what_others_lose(tables):
    left = [("nothing", "joint", 0, 4), ("nothing", "joint", 1, 4), ("ngram_blocklist", "joint", 0, 0)]
    left += [("ngram_blocklist", "joint", 1, 0), ("all", "joint", 0, 0), ("all", "joint", 1, 0)]
    left += [("kfac", "joint", 0, 3), ("kfac", "joint", 1, 4), ("kfac", "single", 1, 0)]
    spared = ("nothing", "ngram_blocklist", "kfac")
    others = [(way, "joint", "memorized", 5, 4) for way in spared]
    others += [("all", "joint", "memorized", 5, 1), ("all", "joint", "held_out", 6, 4)]
    others += [("nothing", "joint", "non_memorized", 7, 4), ("all", "joint", "non_memorized", 7, 0)]
    others += [("kfac", "joint", "non_memorized", 7, 3)]
    again = [1 if way == "kfac" and mode == "joint" and em == 3 else None for way, mode, _, em in left]
    tables |= {"removal": rows("way mode id em", *left).assign(relearning_steps=again)}
    tables |= {"removal_damage": rows("way mode group id em", *others)}
    assert findings(tables, SETTINGS)[3] == (
        "Can it be removed? Not all of it: 1 of 2 recitations stop, and other text changes, too. Of 4 "
        "tokens, the best of 2 edits (low curvature (K-FAC), all paragraphs at once) leaves 4 in other "
        "recited paragraphs and 3 in text after other prefixes. A few steps of training on the removed "
        "paragraphs bring 1 back."
    )


@pytest.mark.parametrize(("left", "answer"), [(4, "stays"), (3, "changes, too")])
def test_what_other_text_loses_is_said_first(tables, left, answer):
    """A way stops the only recitation, and leaves so many of 4 tokens of other text."""
    tables["edits"] = tables["edits"].query("arm == 'top'").assign(em_other=left)
    assert findings(tables, SETTINGS)[3].startswith(
        f"Can it be removed? Yes: 1 of 1 recitation stop, and other text {answer}."
    )


def test_every_verdict_has_its_words():
    assert {*SAID} == {*VERDICTS}


def test_claims_are_counted_by_verdict_and_errors_say_where_to_look(tables):
    works = "of Stoehr and others (2024), of later work and of ours."
    assert outcomes([HOLDS, FAILS, HOLDS, TOO_FEW]) == (
        f"2 hold, 1 does not hold, 1 rests on too few data: 4 claims {works}"
    )
    assert outcomes([NOT_APPLICABLE, HOLDS]) == f"1 holds, 1 needs another study: 2 claims {works}"
    line = findings(judged(tables, a=ERROR, b=HOLDS), SETTINGS)[4]
    assert "? 1 holds, 1 could not be judged: 2 claims" in line
    assert line.endswith(" See logs/claims.log for the errors.")


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
