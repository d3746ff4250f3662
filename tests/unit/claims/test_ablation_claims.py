"""Claims on ablated heads and disturbed weights, on small tables whose verdicts are known."""

import numpy as np
import pandas as pd
import pytest

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import topics
from memloc.settings.sections import sections

SETTINGS = sections({"paragraph": {"prefix": 50, "length": 100}, "highlight": "auto"})
ABOUT = {"model": "any", "data": "embedded"}
GROUPS = ("memorized", "non_memorized", "held_out")
HEADS = [(layer, head) for layer in range(2) for head in range(3)]


def judged(topic: str, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return evaluate(topics()[topic], tables, SETTINGS, ABOUT).set_index("id")


def paragraphs(n: int, n_seen: int = 0) -> list[dict]:
    """n unseen paragraphs of each group, and n_seen seen ones."""
    return [
        {"group": group, "id": number, "seen": number >= n}
        for group in GROUPS
        for number in range(n + n_seen)
    ]


def head_ablation(n, memorized=None, others=None, noise=0.1, replacements=("zero", "mean"), n_seen=0):
    """Heads cost nothing but noise, and the effects of (layer, head) on either group."""
    rng, effects = np.random.default_rng(0), {"memorized": memorized or {}, "non_memorized": others or {}}
    rows = [
        {**row, "replacement": replacement, "layer": layer, "head": head}
        for replacement in replacements
        for layer, head in HEADS
        for row in paragraphs(n, n_seen)
    ]
    for row in rows:
        effect = effects.get(row["group"], {}).get((row["layer"], row["head"]), 0)
        row["nll_gained"] = (100 if row["seen"] else effect) + noise * rng.normal()
    ranking = pd.DataFrame(HEADS, columns=["layer", "head"]).assign(method="combined")
    ranking["rank"] = [3, 2, 1, 4, 5, 6]  # highlighted: head 2 of layer 0
    return {"head_ablation": pd.DataFrame(rows), "head_ranking": ranking}


def verdicts_on_heads(*given, **options) -> dict[str, str]:
    return judged("head_ablation", head_ablation(*given, **options))["verdict"].to_dict()


def test_a_head_that_memorized_paragraphs_need():
    assert set(verdicts_on_heads(20, {(0, 2): 1.0}).values()) == {"holds"}


def test_a_head_that_all_paragraphs_need_is_not_specific():
    found = verdicts_on_heads(20, {(0, 2): 1.0}, {(0, 2): 1.5})
    assert found["highlighted_head_specific"] == found["highlighted_head_specific_zeroed"] == "does not hold"
    assert found["highlighted_head_leads"] == "holds" and found["some_head_specific"] == "undecided"
    table = judged("head_ablation", head_ablation(20, {(0, 2): 1.0}))
    assert table.loc["highlighted_head_leads", "value"] == pytest.approx(1, abs=0.05)  # the others: nothing


def test_another_head_than_the_highlighted_one():
    found = verdicts_on_heads(20, {(1, 0): 1.0})
    assert found["highlighted_head_leads"] == "does not hold" and found["some_head_specific"] == "holds"
    assert found["highlighted_head_specific"] == "undecided"
    table = judged("head_ablation", head_ablation(20, {(1, 0): 1.0}))
    assert table.loc["some_head_specific", "value"] == pytest.approx(1, abs=0.1)
    assert table.loc["highlighted_head_leads", "value"] == pytest.approx(-0.2, abs=0.1)


def test_the_search_over_heads_widens_the_interval():
    table = judged("head_ablation", head_ablation(20, {(0, 2): 0.6}, noise=0.5))
    alone, searched = table.loc["highlighted_head_specific"], table.loc["some_head_specific"]
    assert alone["value"] == pytest.approx(searched["value"])
    assert searched["high"] - searched["low"] > 1.15 * (alone["high"] - alone["low"])


def test_other_heads_of_its_layer_are_those_that_it_must_lead():
    """Of its layer, one costs 3 and one nothing; the same head of the other layer costs 5."""
    table = judged("head_ablation", head_ablation(20, {(0, 2): 4.0, (0, 0): 3.0, (1, 2): 5.0}, noise=0))
    assert table.loc["highlighted_head_leads_its_layer", "value"] == pytest.approx(4 - 3 / 2)
    assert table.loc["highlighted_head_leads", "value"] == pytest.approx(4 - (3 + 5) / 5)


def test_some_head_is_the_one_that_is_most_surely_specific():
    """Another one has a larger mean, and a spread that is larger still."""
    tables = head_ablation(20, {(1, 0): 1.0, (0, 1): 2.0})
    rows = tables["head_ablation"]
    noisy = (rows["layer"] == 0) & (rows["head"] == 1)
    rows.loc[noisy, "nll_gained"] += 9 * (-1) ** rows["id"]
    found = judged("head_ablation", tables).loc["some_head_specific"]
    assert found["value"] == pytest.approx(1, abs=0.1) and found["verdict"] == "holds"


def test_nothing_changed_at_all_and_few_paragraphs():
    assert set(verdicts_on_heads(20, noise=0).values()) == {"does not hold"}
    for n in (1, 2, 5):
        assert set(verdicts_on_heads(n, {(0, 2): 1.0}).values()) == {"undecided"}


def test_seen_paragraphs_do_not_judge():
    seen = verdicts_on_heads(20, n_seen=20)
    assert seen["highlighted_head_specific"] == "undecided"
    assert judged("head_ablation", head_ablation(20, n_seen=20))["n"].max() == 20
    assert set(verdicts_on_heads(4, {(0, 2): 1.0}, n_seen=20).values()) == {"undecided"}
    assert set(verdicts_on_heads(0, {(0, 2): 1.0}, n_seen=20).values()) <= {"undecided", "not applicable"}


def test_a_replacement_that_was_not_run():
    found = judged("head_ablation", head_ablation(20, replacements=("zero",)))
    not_run = found["verdict"] == "not applicable"
    assert found.index[~not_run].tolist() == ["highlighted_head_specific_zeroed"]
    assert "not ablated by mean" in found.loc["highlighted_head_specific", "reason"]


def cumulative(n, memorized=20, others=0, n_orders=39, noise=2.0, n_seen=0, method="combined"):
    """EM lost without 1 and 4 heads: what the method costs, and 0 to 4 tokens in random orders."""
    rng = np.random.default_rng(0)
    more = {"memorized": memorized, "non_memorized": others, "held_out": 0}
    orders = [(method, 0, 0)] + [("random", draw, 4 * draw / 39) for draw in range(n_orders)]
    rows = []
    for name, draw, shift in orders:
        for k in (0, 1, 4):
            for row in paragraphs(n, n_seen):
                lost = (more[row["group"]] if name == method else shift) + noise * rng.normal()
                lost = 50 if row["seen"] and name == method else lost
                labels = {"method": name, "draw": draw, "n_heads": k}
                rows.append({**row, **labels, "em_lost": lost if k else 0.0})
    return {"cumulative_ablation": pd.DataFrame(rows)}


IN_MEMORIZED, IN_OTHERS = "combined_below_random_in_memorized", "combined_as_random_in_non_memorized"
SPECIFIC = "combined_finds_specific_heads"


def verdicts_on_orders(*given, **options) -> list[str]:
    found = judged("cumulative_ablation", cumulative(*given, **options))["verdict"]
    return [found[name] for name in (IN_MEMORIZED, IN_OTHERS, SPECIFIC)]


def test_a_ranking_of_heads_that_memorized_paragraphs_need():
    assert verdicts_on_orders(20) == ["holds", "holds", "holds"]


def test_a_ranking_of_heads_that_all_paragraphs_need():
    """Below the grey range in both panels."""
    assert verdicts_on_orders(20, others=20) == ["holds", "does not hold", "undecided"]


def test_a_ranking_below_the_mean_and_not_below_all_random_orders():
    assert verdicts_on_orders(30, memorized=3) == ["undecided", "holds", "holds"], "3 more than others"
    assert verdicts_on_orders(30, memorized=-3) == ["does not hold", "holds", "does not hold"]


def test_orders_are_compared_over_heads_that_are_ablated_and_by_their_mean():
    found = judged("cumulative_ablation", cumulative(20, noise=0)).loc[IN_MEMORIZED]
    assert found["value"] == pytest.approx(20 - 4 * 19 / 39)
    assert (found["low"], found["high"]) == pytest.approx((20 - 4 * 38 / 39, 20))
    found = judged("cumulative_ablation", cumulative(20, others=5, noise=0)).loc[IN_OTHERS]
    assert found["value"] == pytest.approx(4 * 19 / 39 - 5) and found["margin"] == 2


def test_few_orders_few_paragraphs_and_nothing_changed():
    assert verdicts_on_orders(20, n_orders=38) == ["undecided"] * 3
    assert verdicts_on_orders(5) == verdicts_on_orders(2) == verdicts_on_orders(1) == ["undecided"] * 3
    tables = cumulative(20)
    tables["cumulative_ablation"]["em_lost"] = 0
    found = judged("cumulative_ablation", tables)["verdict"]
    assert [found[name] for name in (IN_MEMORIZED, IN_OTHERS, SPECIFIC)] == [
        "does not hold",
        "holds",
        "does not hold",
    ]


def test_seen_paragraphs_do_not_judge_rankings():
    assert verdicts_on_orders(20, memorized=0, n_seen=20)[0] == "undecided"
    assert verdicts_on_orders(4, n_seen=20) == ["undecided"] * 3


def test_methods_are_judged_apart():
    found = judged("cumulative_ablation", cumulative(20, method="patching"))
    assert found.loc["patching_finds_specific_heads", "verdict"] == "holds"
    assert found.loc[[IN_MEMORIZED, IN_OTHERS, SPECIFIC], "verdict"].tolist() == ["not applicable"] * 3


def weight_noise(n, memorized=20, others=0, n_draws=6, noise=1.0, n_seen=0, per_draw=None):
    """EM after noise of sizes 1 and 3, and zeroing: top weights cost more than random ones but at size 1."""
    rng = np.random.default_rng(0)
    more = {"memorized": memorized, "non_memorized": others, "held_out": 0}
    rows = []
    for arm in ("top", "random"):
        for kind, size in (("noise", 0.0), ("noise", 1.0), ("noise", 3.0), ("zero", np.nan)):
            for draw in range(n_draws):
                for row in paragraphs(n, n_seen):
                    lost = more[row["group"]] if arm == "top" and size != 1 else 0
                    lost = 50 if row["seen"] and arm == "top" else lost
                    if per_draw and arm == "top" and row["group"] == "memorized":
                        lost = per_draw[draw]
                    em = 50 - (lost + noise * rng.normal() if size else 0)
                    rows.append({**row, "arm": arm, "kind": kind, "size": size, "draw": draw, "em": em})
    return {"weight_noise": pd.DataFrame(rows)}


NOISE = ["noise_on_top_costs_memorized", "noise_on_top_is_specific"]
ZERO = ["zero_on_top_costs_memorized", "zero_on_top_is_specific"]


def verdicts_on_noise(*given, **options) -> list[str]:
    return judged("weight_noise", weight_noise(*given, **options))["verdict"][NOISE + ZERO].tolist()


def test_weights_that_memorized_paragraphs_need():
    assert verdicts_on_noise(20) == ["holds"] * 4
    found = judged("weight_noise", weight_noise(20, noise=0))
    assert found.loc[NOISE, "value"].tolist() == [10, 10] and found.loc[ZERO, "value"].tolist() == [20, 20]


def test_weights_that_all_paragraphs_need():
    assert verdicts_on_noise(20, others=30) == ["holds", "does not hold"] * 2


def test_every_draw_must_agree():
    assert verdicts_on_noise(20, per_draw=[20, 20, 20, 20, 20, 0])[0] == "undecided"
    assert verdicts_on_noise(20, per_draw=[-9] * 6) == ["does not hold"] * 4


def test_few_draws_few_paragraphs_and_no_change():
    assert verdicts_on_noise(20, n_draws=5) == ["undecided"] * 4
    assert verdicts_on_noise(5) == verdicts_on_noise(2) == verdicts_on_noise(1) == ["undecided"] * 4
    assert verdicts_on_noise(20, memorized=0, noise=0) == ["does not hold"] * 4


def test_paragraphs_that_chose_the_weights_do_not_judge():
    assert verdicts_on_noise(20, memorized=0, n_seen=30)[0] == "undecided"
    assert verdicts_on_noise(4, n_seen=30) == ["undecided"] * 4


def test_others_that_have_little_left_to_lose_are_no_comparison():
    """At the floor of the others, what all paragraphs need would look as if memorized ones needed it more."""
    tables = weight_noise(20)
    rows = tables["weight_noise"]
    others = (rows["group"] == "non_memorized") & (rows["size"] != 0)
    rows.loc[others, "em"] = rows.loc[others, "em"] - 26
    found = judged("weight_noise", tables)
    assert found.loc[[NOISE[1], ZERO[1]], "verdict"].tolist() == ["undecided"] * 2
    assert found.loc[[NOISE[0], ZERO[0]], "verdict"].tolist() == ["holds"] * 2
    assert "there is little more to lose" in found.loc[NOISE[1], "reason"]
    orders = cumulative(20)
    rows = orders["cumulative_ablation"]
    rows.loc[(rows["group"] == "non_memorized") & (rows["n_heads"] > 0), "em_lost"] += 26
    found = judged("cumulative_ablation", orders)
    assert found.loc[[IN_MEMORIZED, SPECIFIC], "verdict"].tolist() == ["holds", "undecided"]
