"""Every claim can hold and can fail, as its estimator meets it; and copies of a text count once."""

import numpy as np
import pandas as pd
import pytest
import test_counterfactual_claims as counterfactual
import test_editing_claims as editing
import test_grown_claims as grown
import test_localization_claims as localization
import test_near_copies_claims as near_copies
import test_perturbation_claims as perturbation
import test_removal_claims as removal
import test_scores_claims as scores
from made_claims import settings_of, with_tokens
from made_recency import LENGTHS, MODEL
from made_recency import tables as seen
from test_registry import CLAIMS

from memloc.claims.evaluate import evaluate
from memloc.data.draws import N_PARTS
from memloc.tables.terms.claims import FAILS, HOLDS
from memloc.tables.terms.perturbation import UNPERTURBED

HEAD = (1, 0)
KNOWN = {
    "recency": {"paragraph": LENGTHS, "model": MODEL},
    "counterfactual": {"paragraph": counterfactual.LENGTHS},
    "perturbation": perturbation.LENGTHS,
    "attention": localization.PREFIX,
}


def changed(tables, name, change):
    return tables | {name: tables[name].assign(**change(tables[name]))}


def earlier(sets):
    return {"set": np.where(sets["set"] == "memorized", "non_memorized", "memorized")}


def against(models):
    return {"prefix_nll": -models["prefix_nll"]}


def in_vain(rows):
    """All tokens but the last can be replaced."""
    first = rows["position"].between(UNPERTURBED, 2)
    return {"em": rows["em"].mask(first, perturbation.FULL)}


def elsewhere(samples):
    """Each part has the rest's first head last."""
    return {"rank": samples["rank"].mask(samples["sample"] == "part", -samples["rank"])}


def edited(**changes):
    return {"edits": editing.runs({tuple(key.split("_")): run for key, run in changes.items()})}


LED = localization.ranked(localization.same(localization.CLEAR), n_parts=N_PARTS)
# Tables with which each claim holds, and with which it fails.
SIDES = {
    "complete_or_not": [scores.scored(memorized=n, partly_30_49=45 - n) for n in (40, 5)],
    "recited_wherever_they_stand": [scores.placed([n] * 30) for n in (3, 0)],
    "more_repeats_more_memorized": [scores.repeated({4: (50 - n, 50), 64: (n, 50)}) for n in (50, 0)],
    "near_copies_count": [near_copies.table(worth) for worth in (0.6, -0.5)],
    "recited_were_seen_later": [seen(), changed(seen(), "sets", earlier)],
    "seen_come_out_more_than_unseen": [scores.sampled((80, 4, n), (80, 0, 80 - n)) for n in (80, 0)],
    "recitation_shows_in_the_prefix": [scores.detected((n, 45)) for n in (40, 5)],
    "recited_would_not_come_out": [
        counterfactual.table(recited=kind) for kind in (counterfactual.OWN, counterfactual.COPIED)
    ],
    "rules_tell_reconstructions": [
        counterfactual.table(recited=kind) for kind in (counterfactual.COPIED, counterfactual.OWN)
    ],
    "held_out_recited_are_reconstructed": [
        counterfactual.table(recited=kind) for kind in (counterfactual.TEMPLATE, counterfactual.UNSEEN)
    ],
    "prefix_nll_follows_training": [
        counterfactual.table(),
        changed(counterfactual.table(), "counterfactual", against),
    ],
    "top_spares_controls": [edited(unlearn_top=(1e-3, 3, rise)) for rise in (0.1, 0.9)],
    "editing_is_harder": [edited(edit_all=(rate, 3, 0.5)) for rate in (1e-4, 1e-6)],
    "random_weights_do_nothing": [edited(unlearn_random=(1e-3, em, 0.0)) for em in (50, 3)],
    "one_token_costs_most": [perturbation.tables(drops) for drops in ((0, 0, 9, 5), (0, 0, 7, 9))],
    "non_memorized_easier": [perturbation.tables(others=(drop,) * 4) for drop in (9, 0)],
    "later_matters_in_memorized": [perturbation.tables(drops) for drops in ((0, 0, 9, 5), (9, 9, 0, 9))],
    "perturbed_are_fluent": [perturbation.tables(new=nll) for nll in (0.5, 1.6)],
    "rare_tokens_cost_most": [perturbation.tables(drops) for drops in ((0, 0, 9, 5), (9, 9, 0, 9))],
    "most_tokens_are_replaceable": [
        changed(perturbation.tables(), "perturbation", in_vain),
        perturbation.tables(),
    ],
    "patching_points_elsewhere": [
        localization.patching(localization.EVERY | {(1, part, 2): size})
        for part, size in (("v", 0), ("q", 3))
    ],
    "localized_head_attends_to_rarer_tokens": [localization.rare({HEAD: slope}) for slope in (0.5, -0.5)],
    "attention_opposed": [localization.attention(localization.ALIKE | {HEAD: -1}), localization.follower()],
    "non_memorized_gradients_larger": [localization.gradients(others=(size,) * 4) for size in (9, 1)],
    "one_value_matrix_leads": [localization.gradients(leads=leads) for leads in ((("W_V", 1, 2),), ())],
    "paired_gradients_lean_to_lower_layers": [localization.paired_gradients(lower) for lower in (0.6, 0.4)],
    "others_are_disturbed_more": [perturbation.paired(drops=drops) for drops in ((1, 5), (5, 1))],
    "one_head_leads": [LED, changed(LED, "head_rank_samples", elsewhere)],
    "grown_heads_beyond_the_twin": [grown.tables(*areas) for areas in ((0.9, 0.5), (0.5, 0.9))],
    "removal_top_spares_more": [removal.tables(risen={"top": rise}) for rise in (0.5, 2.0)],
}


def row_of(topic, claim, tables):
    known = settings_of(topic.name, **KNOWN.get(topic.name, {}))
    rows = evaluate(topic, [with_tokens(tables)] * (5 if claim.over else 1), known)
    return next(row for row in rows if row["id"] == claim.id)


@pytest.mark.parametrize(("topic", "claim"), CLAIMS, ids=[claim.id for _, claim in CLAIMS])
def test_a_claim_can_hold_and_can_fail(topic, claim):
    """A claim without such tables is refused. Five trainings are those of config/seeds.yaml."""
    assert [row_of(topic, claim, tables)["verdict"] for tables in SIDES[claim.id]] == [HOLDS, FAILS]


PARAGRAPHS = [
    (topic, claim)
    for topic, claim in CLAIMS
    if "tokens" in (topic.tables.get("paragraphs") or ()) and claim.unit != "part"
]


@pytest.mark.parametrize(("topic", "claim"), PARAGRAPHS, ids=[claim.id for _, claim in PARAGRAPHS])
def test_copies_of_one_text_are_one_unit(topic, claim):
    tables = with_tokens(SIDES[claim.id][0])
    tokens = tables["paragraphs"]["tokens"].iloc[0]
    alike = tables["paragraphs"].assign(tokens=[tokens] * len(tables["paragraphs"]))
    assert row_of(topic, claim, tables)["n"] > 7
    assert row_of(topic, claim, tables | {"paragraphs": alike})["n"] <= 1


PAIRED = [(topic, claim) for topic, claim in PARAGRAPHS if topic.name.startswith("paired")]


@pytest.mark.parametrize("recited", [True, False])
@pytest.mark.parametrize(("topic", "claim"), PAIRED, ids=[claim.id for _, claim in PAIRED])
def test_copies_on_one_side_of_pairs_are_one_unit(topic, claim, recited):
    tables = with_tokens(SIDES[claim.id][0])
    sets, tokens = tables["sets"], tables["paragraphs"].set_index("id")["tokens"]
    side = set(sets["id"][(sets["set"] == "memorized") == recited])
    alike = [tokens.iloc[0] if id in side else own for id, own in tokens.items()]
    found = row_of(topic, claim, tables | {"paragraphs": tables["paragraphs"].assign(tokens=alike)})
    assert found["n"] == 1


def test_a_paragraph_that_begins_a_document_is_in_that_one_and_in_none_before_it():
    """Documents with a memorized paragraph at the beginning, and with another one later, in turns."""
    topic, claim = next(found for found in CLAIMS if found[1].id == "recited_were_seen_later")
    n, tables = np.arange(120), seen()
    tables |= {
        "training_stream": pd.DataFrame({"tokens": [[1] * 13] * 122}),
        "occurrences": pd.DataFrame({"id": n, "place": 14 * (n + 1) + np.where(n % 2, 7, 0)}),
        "paragraphs": tables["paragraphs"].assign(count=1, continuation_count=1),
        "sets": tables["sets"].assign(set=np.where(n % 2, "non_memorized", "memorized")),
    }
    assert row_of(topic, claim, tables)["n"] > 50, "of 60"
