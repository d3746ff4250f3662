"""Figures on ways to remove, on made-up tables: what they say, and that their captions are complete."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn_parts import legend_of, letters_of, table_rows
from figure_labels import clipped_labels, overlapping_labels
from made_removal import tables

from memloc.figures import removal, removal_table
from memloc.figures.parts.removal import LABELS, WAY_STYLES, judged_ways, ways_of
from memloc.run.templates import fill
from memloc.settings.removal_ways import WAY_NAMES
from memloc.settings.sections import sections
from memloc.statistics import uncertainty

REPORT = Path(__file__).parents[3] / "workflow" / "report"
SETTINGS = sections({"paragraph": {"prefix": 50, "length": 100}})


@pytest.mark.parametrize("module", [removal, removal_table])
@pytest.mark.parametrize("n", [2, 8])
def test_figures_are_drawn_and_captions_complete(module, n):
    drawing = module.draw(tables(n), SETTINGS)
    name = module.__name__.rpartition(".")[2]
    caption = fill((REPORT / f"{name}.rst").read_text(), drawing.numbers | {"study": "made"})
    assert len(drawing.data) and not re.search(r"[{}]|\bnan\b|None", caption), caption
    assert clipped_labels(drawing.figure) == [] and overlapping_labels(drawing.figure) == []


def test_every_way_has_a_style():
    assert tuple(WAY_STYLES) == WAY_NAMES
    assert ways_of(tables(ways=("heads", "top"))["removal"]) == ["top", "heads"]


def test_values_are_means_of_paragraphs_and_of_texts():
    data = judged_ways(tables()).set_index(["way", "mode", "measure"])
    own = data.loc["top", "joint", "forgotten"]
    assert own["value"] == pytest.approx(40) and own["n"] == 8 and own["low"] <= 40 <= own["high"]
    assert data.loc[("top", "joint", "em_own_lost"), "value"] == pytest.approx(5)
    assert data.loc[("top", "joint", "nll_gained"), "value"] == pytest.approx(0.05)
    assert data.loc[("top", "single", "em_own_lost"), "n"] == 2  # by removed paragraph
    assert data.loc[("nothing", "joint", "forgotten"), "value"] == 0
    sampled = data.loc["top", "joint", "sampled"]
    assert sampled["value"] == sampled["low"] == 0 and 0.3 < sampled["high"] < 0.4  # 0 of 8, by Wilson
    assert data.loc[("heads", "joint", "sampled"), "value"] == 1
    assert data.loc[("top", "joint", "relearning"), "n"] == 4
    assert data.loc[("nothing", "joint", "changed"), "value"] == 0
    assert data.loc[("top", "joint", "changed"), ["value", "n"]].tolist() == [1, 10]
    assert data.loc[("top", "joint", "em_other_lost"), "value"] == pytest.approx(7.5 * 8 / 9)
    assert data.loc[("top", "joint", "longest_run"), "value"] == 10
    assert data.loc[("top", "single", "forgotten"), "value"] == 37
    assert data.loc[("nothing", "joint", "recited"), "value"] == 1
    assert data.loc[("top", "joint", "recited"), "value"] == 0


def test_shares_and_their_intervals_lie_within_zero_and_one():
    data = judged_ways(tables()).set_index(["way", "mode", "measure"])
    few, most = data.loc["top", "joint", "recited_perturbed"], data.loc["top", "joint", "edit_distance"]
    assert few["value"] == pytest.approx(1 / 8) and few["low"] == 0 < few["high"]
    assert most["value"] == pytest.approx(1 - 0.2 / 8) and most["low"] < 1 == most["high"]


def test_a_continuation_is_sampled_if_a_hundred_draws_give_it_with_a_chance_of_one_half():
    """1 - 0.9932 ** 100 is 0.495, and 1 - 0.993 ** 100 is 0.505."""
    found = tables(ways=["top"])
    removal_rows = found["removal"].assign(log_p=np.log([0.0068, 0.0070] * (len(found["removal"]) // 2)))
    data = judged_ways(found | {"removal": removal_rows}).set_index(["way", "mode", "measure"])
    assert data.loc[("top", "joint", "sampled"), ["value", "n"]].tolist() == [0.5, 8]


def test_what_one_removal_changes_is_a_share_of_the_texts_that_lose_tokens():
    """Three of ten texts lose some, and the others have more than before."""
    found = tables(ways=["top"])
    damage = found["removal_damage"]
    single, own = damage["mode"] == "single", damage["group"] == "non_memorized"
    damage.loc[single & own & (damage["id"] > 102), "em"] = 51
    data = judged_ways(found).set_index(["way", "mode", "measure"])
    assert data.loc[("top", "single", "changed"), ["value", "n"]].tolist() == pytest.approx([0.3, 2])


def test_the_front_holds_what_no_other_way_beats():
    drawing = removal.draw(tables(), SETTINGS)
    assert set(drawing.data.loc[drawing.data["front"], "way"]) == {"top", "all"}  # steering: beaten by top
    first, second = drawing.numbers["front"]
    assert (first["label"], second["label"]) == ("top gradients", "all weights")
    shown = [first[name].value for name in ("forgotten", "em_own_lost", "nll_gained")]
    assert shown == pytest.approx([40, 5, 0.05])
    sizes = {name: drawing.numbers[f"n_{name}"] for name in ("joint", "single", "texts", "ways")}
    assert sizes == {"joint": 8, "single": 2, "texts": 10, "ways": len(WAY_NAMES)}


def test_every_way_is_drawn_at_what_it_forgets_and_costs():
    """Filled where paragraphs are removed together, hollow one by one; arrows lead to the filled mark."""
    drawing = removal.draw(tables(), SETTINGS)
    assert list(legend_of(drawing.figure)) == [label for label, *_ in WAY_STYLES.values()]
    assert [axes.get_xscale() for axes in drawing.figure.axes] == ["linear", "symlog"]
    assert letters_of(drawing.figure) == "ab"
    assert drawing.figure.axes[0].get_ylabel() == "forgotten by removed paragraphs (tokens)"
    values = drawing.data.set_index(["way", "mode", "measure"])["value"]
    for panel, cost in zip(drawing.figure.axes, ("em_own_lost", "nll_gained"), strict=True):
        assert ("tokens" if cost == "em_own_lost" else "nats") in panel.get_xlabel()
        marks = iter(line for line in panel.lines if line.get_marker() != "None" and len(line.get_xdata()))
        arrows = iter(panel.texts)
        for way, (_, colour, marker) in WAY_STYLES.items():
            places = {
                mode: (values[way, mode, cost], values[way, mode, "forgotten"])
                for mode in ("single", "joint")
                if (way, mode, cost) in values.index
            }
            for mode, place in places.items():
                mark = next(marks)
                assert (mark.get_xdata()[0], mark.get_ydata()[0]) == place
                assert (mark.get_marker(), mark.get_markeredgecolor()) == (marker, colour)
                assert mark.get_markerfacecolor() == (colour if mode == "joint" else "white")
            if len(places) == 2:
                arrow = next(arrows)
                assert (arrow.xy, arrow.xyann) == (places["joint"], places["single"])
        assert next(marks, None) is None and next(arrows, None) is None


def test_lines_through_a_mark_are_the_intervals_of_both_values():
    panel = removal.draw(tables(ways=["top"]), SETTINGS).figure.axes[0]
    across, up = (lines.get_segments()[0] for lines in panel.collections[2:])  # of together
    forgotten = uncertainty.mean(np.array([39, 41] * 4))
    lost = uncertainty.mean(np.array([6, 6, 4, 4] * 2 + [5, 5]))
    assert across.tolist() == [pytest.approx([lost.low, 40]), pytest.approx([lost.high, 40])]
    assert up.tolist() == [pytest.approx([5, forgotten.low]), pytest.approx([5, forgotten.high])]


def test_a_lead_within_its_interval_beats_nobody():
    """With five texts and three paragraphs nothing is certain, so that every way stays on the front."""
    drawing = removal.draw(tables(3), SETTINGS)
    assert drawing.data["front"].sum() == len(drawing.data[drawing.data["way"] != "nothing"])


def test_the_table_has_a_line_per_way_and_mode():
    """The model as it is, then all that removes together, then one by one; medians of costs."""
    found = tables(ways=("top", "kfac", "heads"))
    costs = found["removal_costs"]
    slow = costs[(costs["way"] == "heads") & (costs["mode"] == "single")].head(1)
    slow = slow.assign(seconds=90.0, memory_mb=9e4)
    drawing = removal_table.draw(found | {"removal_costs": pd.concat([costs, slow])}, SETTINGS)
    assert (drawing.numbers["n_joint"], drawing.numbers["n_single"]) == (8, 2)
    lines = table_rows(drawing.figure.axes[0], removal_table.HEADER)
    assert [line["way"] for line in lines] == [
        "the model as it is",
        "top gradients",
        "low curvature (K-FAC) *",
        "heads ablated",
        "top gradients, one by one",
        "heads ablated, one by one",
    ]
    assert "setting" not in lines[0] and lines[0]["recited"] == "1.00"
    forgotten = uncertainty.mean(np.array([9, 11] * 4))
    lost = uncertainty.mean(np.array([21, 21, 19, 19] * 2 + [20, 20]))
    assert lines[3] == {
        "way": "heads ablated",
        "setting": "share 0.1",
        "forgotten": f"10.0 ({forgotten.low:.1f} to {forgotten.high:.1f})",
        "recited": "0.00",
        "sampled": "1.00",
        "run": "40.0",
        "edits": "0.90",
        "perturbed": "0.12",
        "shifted": "0.50",
        "relearned": "3.0",
        "others lose": f"{30 * 8 / 9:.1f}",
        "own lose": f"20.0 ({lost.low:.1f} to {lost.high:.1f})",
        "changed": "1.00",
        "NLL": "+0.20",
        "weights": "1,000",
        "seconds": "1.50",
        "MiB": "1,234",
    }
    assert lines[5]["forgotten"] == "7.0" and (lines[5]["seconds"], lines[5]["MiB"]) == ("1.50", "1,234")


def test_the_table_marks_ways_that_aim_at_all_memories():
    found = removal_table.draw(tables(8), {}).figure.axes[0]
    names = {text.get_text() for text in found.texts if text.get_text().endswith(" *")}
    assert names == {f"{LABELS[way]} *" for way in ("svd", "kfac")}
