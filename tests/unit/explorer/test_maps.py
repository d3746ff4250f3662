"""Layer x head maps of the page, next to plain loops over small tables."""

import numpy as np
import pytest
from made_rankings import METHOD_LABELS
from unpacked import unpacked

from memloc.explorer import maps
from memloc.explorer.json_values import described
from memloc.tables.columns import Lengths
from memloc.tables.schemas import schema_of


@pytest.mark.parametrize("name", ["patching", "attribution_patching"])
def test_maps_of_patching_are_its_rows_and_their_means(tables, pages, name):
    rows = tables[name]
    of_sets = maps.maps_of_sets(tables)[name]["memorized"]
    for (direction, component), own in rows.groupby(["direction", "component"]):
        label = f"{component} into {direction.rpartition('_')[2]}"
        means = unpacked(of_sets[label]["heads"])
        for (layer, head), same in own.groupby(["layer", "head"]):
            assert means[layer, head] == pytest.approx(same.nll_change.mean(), rel=1e-5, abs=1e-9)
        for row in own.itertuples():
            found = unpacked(pages[row.id]["maps"][name][label]["heads"])
            assert found[row.layer, row.head] == np.float32(row.nll_change)


@pytest.mark.parametrize(
    ("key", "group", "shown"), [("gradients", "memorized", None), ("contrastive", "contrastive", maps.ALL)]
)
def test_maps_of_gradients_show_the_largest_head_component_and_mlps(tables, key, group, shown):
    found = maps.maps_of_sets(tables)[key][shown or group]
    rows = tables["parameter_gradients"].query("group == @group")
    heads = unpacked(found[maps.STRONGEST]["heads"])
    for (layer, head), own in rows.dropna(subset="head").groupby(["layer", "head"]):
        assert heads[layer, int(head)] == np.float32(own.max_abs.max())
    for component, own in rows[rows["head"].isna()].groupby("component"):
        column = unpacked(found[maps.STRONGEST]["columns"][component])
        np.testing.assert_array_equal(column, own.sort_values("layer").max_abs.to_numpy(np.float32))
        assert set(found["W_Q"]["columns"]) == {"W_in", "W_out"}  # beside the heads of every variant
    assert set(found) == {maps.STRONGEST, "W_Q", "W_K", "W_V", "W_O"}


def test_activation_gradients_of_a_paragraph_are_means_over_the_prefix(tables, pages):
    rows = tables["activation_gradients"].query("position < 12")
    keys = ["id", "group", "component", "layer", "head"]
    for (number, group, component, layer, head), own in rows.dropna().groupby(keys, observed=True):
        found = pages[number]["maps"]["activation_gradients"][f"{component}, {group}"]["heads"]
        assert unpacked(found)[layer, int(head)] == pytest.approx(own.max_abs.mean(), rel=1e-5)
    for (number, group, component, layer), own in rows[rows["head"].isna()].groupby(
        ["id", "group", "component", "layer"], observed=True
    ):
        found = pages[number]["maps"]["activation_gradients"][f"q, {group}"]["columns"][component]
        assert unpacked(found)[layer] == pytest.approx(own.max_abs.mean(), rel=1e-5)


def test_maps_of_sets_are_means_of_their_own_rows(tables):
    """Of kinds of ablation, correlations and ranks, each by its name."""
    found = maps.maps_of_sets(tables)
    labels = {"nll_gained": "NLL gained", "em_lost": "exact match lost"}
    keys = ["group", "layer", "head"]
    unpaired = tables["head_ablation"].query("group != 'paired'")
    for (group, layer, head), own in unpaired.groupby(keys):
        for name, label in labels.items():
            shown = unpacked(found["head_ablation"][group][label]["heads"])
            assert shown[layer, head] == pytest.approx(own[name].mean(), rel=1e-5, abs=1e-6)
    for row in tables["rare_token_correlation"].itertuples():
        for label, name in (("summed attention (paper)", "pearson"), ("mean per occurrence", "pearson_mean")):
            shown = unpacked(found["rare_tokens"][maps.ALL][label]["heads"])
            assert shown[row.layer, row.head] == np.float32(getattr(row, name))
    for row in tables["head_ranking"].itertuples():
        shown = unpacked(found["ranks"][maps.ALL][METHOD_LABELS[row.method]]["heads"])
        assert shown[row.layer, row.head] == row.rank


def test_every_described_map_has_numbers(tables, pages):
    of_sets = maps.maps_of_sets(tables)
    of_paragraphs = set().union(*(content["maps"] for content in pages.values()))
    assert {found["key"] for found in described(maps.MAPS, tables)} == set(of_sets) | of_paragraphs


def test_maps_of_both_signs_are_coloured_around_zero(tables):
    """Correlations and differences have both; sizes and ranks have none below zero."""
    signed = {"rare_tokens", "patching", "attribution_patching", "head_ablation"}
    found = described(maps.MAPS, tables)
    assert {one["key"] for one in found if one["ascending"]} == {"ranks"}
    assert {one["key"] for one in found if one["diverging"]} == signed & {one["key"] for one in found}
    assert {key for key, one in maps.MAPS.items() if one.diverging} == signed
    assert {key for key, one in maps.MAPS.items() if one.ascending} == {"ranks"}


COLUMNS = {
    "gradients": ("max_abs", "weight"),
    "contrastive": ("max_abs", "weight"),
    "activation_gradients": ("max_abs", "activation"),
    "patching": ("nll_change", ""),
    "attribution_patching": ("nll_change", ""),
}


@pytest.mark.parametrize("key", COLUMNS)
def test_a_map_has_the_unit_of_its_column(key):
    name, of = COLUMNS[key]
    unit = schema_of(maps.MAPS[key].table).columns(Lengths())[name].unit
    assert maps.MAPS[key].unit == unit.replace("weight or activation", of)
