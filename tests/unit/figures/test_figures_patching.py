"""Figure 11 and the patching of every position: plotted numbers, alignment, captions, readable labels."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn_parts import is_red_above_zero, letters_of, outlined
from figure_labels import clipped_labels, overlapping_labels
from matplotlib.collections import QuadMesh
from scipy import stats

from memloc.figures import fig11, prefix_patching
from memloc.figures.parts import token_map
from memloc.figures.parts.style import COLOURS, DIRECTION_LABELS
from memloc.figures.prefix_patching import WINDOW, aligned_means, spread_pairs
from memloc.run.templates import fill
from memloc.settings.sections import sections
from memloc.statistics import uncertainty
from memloc.tables.terms.patching import DIRECTIONS

REPORT = Path(__file__).parents[3] / "workflow" / "report"
SETTINGS = sections({"highlight": {"layer": 1, "head": 2}})
PLACES = {7: (3, 50), 4: (49, 50), 9: (48, 51), 12: (46, 50)}  # id: perturbed and impact position


def made_up(n_layers: int = 2, n_heads: int = 4, n_kv_heads: int | None = None, places=PLACES) -> dict:
    """Tables of random changes for a pair of each id of `places`."""
    random = np.random.default_rng(0)
    heads = {"q": n_heads, "k": n_kv_heads or n_heads, "v": n_kv_heads or n_heads}
    sites = [
        (name, direction, layer, component, head)
        for direction in DIRECTIONS
        for name in places
        for layer in range(n_layers)
        for component in "qkv"
        for head in range(heads[component])
    ]
    exact = pd.DataFrame(sites, columns=["id", "direction", "layer", "component", "head"])
    positions = [
        (name, direction, layer, position)
        for direction in DIRECTIONS
        for name, (perturbed, impact) in places.items()
        for layer in range(n_layers)
        for position in range(perturbed, impact)
    ]
    residual = pd.DataFrame(positions, columns=["id", "direction", "layer", "position"])
    tokens = [random.integers(20, size=100).tolist() for _ in places]
    return {
        "patching": exact.assign(nll_change=random.normal(size=len(exact)), method="exact"),
        "attribution_patching": exact.assign(nll_change=random.normal(size=len(exact))),
        "residual_patching": residual.assign(nll_change=random.normal(size=len(residual))),
        "perturbed_paragraphs": pd.DataFrame(
            {
                "id": list(places),
                "position": [perturbed for perturbed, _ in places.values()],
                "impact_position": [impact for _, impact in places.values()],
                "tokens": tokens,
            }
        ),
        "vocabulary": pd.DataFrame(
            {"token": range(20), "text": [" the", "\n", "$x^2$", *(f" w{n}" * (n % 5) for n in range(17))]}
        ),
    }


def caption(module, drawing) -> str:
    """The filled caption on one line."""
    template = (REPORT / f"{module.__name__.split('.')[-1]}.rst").read_text()
    return " ".join(fill(template, drawing.numbers | {"study": "made up"}).split())


def mesh_values(axes) -> np.ndarray:
    (mesh,) = (artist for artist in axes.collections if isinstance(artist, QuadMesh))
    return mesh.get_array()


@pytest.mark.parametrize(
    "shape", [{}, {"n_layers": 4, "n_heads": 8}, {"n_layers": 12, "n_heads": 12}, {"n_kv_heads": 2}]
)
@pytest.mark.parametrize("module", [fig11, prefix_patching])
def test_labels_are_readable(module, shape):
    drawing = module.draw(made_up(**shape), SETTINGS)
    assert clipped_labels(drawing.figure) == []
    assert overlapping_labels(drawing.figure) == []
    assert "made up" in caption(module, drawing)


def test_fig11_plots_means_over_pairs_centred_on_zero():
    tables = made_up()
    drawing = fig11.draw(tables, SETTINGS)
    patching = tables["patching"]
    for axes, direction in zip(drawing.figure.axes, DIRECTIONS, strict=False):
        values = mesh_values(axes).reshape(2, 12)
        for layer in range(2):
            for place, component in enumerate("kqv"):
                for head in range(4):
                    rows = patching[
                        (patching["direction"] == direction)
                        & (patching["layer"] == layer)
                        & (patching["component"] == component)
                        & (patching["head"] == head)
                    ]
                    assert values[layer, 4 * place + head] == pytest.approx(rows.nll_change.mean())
        (mesh,) = (artist for artist in axes.collections if isinstance(artist, QuadMesh))
        low, high = mesh.get_clim()
        assert low == -high and is_red_above_zero(mesh) and high == abs(values).max()
        assert axes.get_title() == DIRECTION_LABELS[direction]
    assert [axes.get_ylabel() for axes in drawing.figure.axes[2:]] == ["change in NLL (nats)"] * 2


def test_fig11_csv_says_how_sure_the_means_are():
    tables = made_up()
    drawing = fig11.draw(tables, SETTINGS)
    data = drawing.data
    row = data.iloc[5]
    keys = ["direction", "layer", "component", "head"]
    changes, estimates = (
        table[(table[keys] == row[keys]).all(axis=1)].nll_change
        for table in (tables["patching"], tables["attribution_patching"])
    )
    assert row["mean"] == pytest.approx(changes.mean())
    assert row[["low", "high"]].isna().all() and row["n_pairs"] == len(PLACES)  # too few for an interval
    assert row["median"] == pytest.approx(changes.median())
    assert row["share_rises"] == (changes > 0).mean()
    assert row["first_order_estimate"] == pytest.approx(estimates.mean())
    assert (drawing.numbers["n_pairs"], drawing.numbers["layer"], drawing.numbers["head"]) == (4, 1, 2)
    for direction, rows in data.groupby("direction"):
        found, sizes = drawing.numbers["directions"][direction], rows["mean"].abs()
        strongest = rows.loc[sizes.sort_values().index[-1]]
        assert (found["mean"].value, found["mean"].n) == (strongest["mean"], 4)
        assert (found["median"], found["share_rises"]) == tuple(strongest[["median", "share_rises"]])
        for component, share in found["component_shares"].items():
            assert share == pytest.approx(sizes[rows["component"] == component].sum() / sizes.sum())
        by_head = sizes.groupby([rows["layer"], rows["head"]]).max()
        assert (found["place"], found["n_heads"]) == ((by_head >= by_head[1, 2]).sum(), 8)
        both = rows["mean"], rows["first_order_estimate"]
        assert found["spearman"] == pytest.approx(stats.spearmanr(*both).statistic)
        assert found["kendall"] == pytest.approx(stats.kendalltau(*both).statistic)


def test_fig11_names_the_strongest_head_the_rank_of_the_outlined_one_and_the_agreement():
    tables = made_up()
    patching = tables["patching"]
    patching["nll_change"] = 0.01 * patching["nll_change"]
    chosen = (patching["layer"] == 0) & (patching["component"] == "v") & (patching["head"] == 3)
    patching.loc[chosen, "nll_change"] = -2.0
    outlined = (patching["layer"] == 1) & (patching["component"] == "k") & (patching["head"] == 2)
    patching.loc[outlined, "nll_change"] = 1.0
    tables["attribution_patching"] = patching.assign(nll_change=2 * patching["nll_change"])
    drawing = fig11.draw(tables, SETTINGS)
    for found in drawing.numbers["directions"].values():
        assert found["strongest"] == "v of head 3 in layer 0"
        assert found["mean"].value == pytest.approx(-2.0)
        assert sum(found["component_shares"].values()) == pytest.approx(1)
        assert max(found["component_shares"], key=found["component_shares"].get) == "v"
        assert found["place"] == 2
        assert [found["spearman"], found["kendall"]] == pytest.approx([1.0, 1.0])
    assert drawing.numbers["n_adjacent"] == 1
    assert "-2.00 (n = 4) nats" in caption(fig11, drawing)


def test_fig11_gives_the_largest_mean_with_its_interval():
    tables = made_up(places=dict.fromkeys(range(8), (3, 50)))
    for direction, found in fig11.draw(tables, SETTINGS).numbers["directions"].items():
        rows = tables["patching"][tables["patching"]["direction"] == direction]
        sites = [values for _, values in rows.groupby(["layer", "component", "head"])["nll_change"]]
        assert found["mean"] == uncertainty.mean(max(sites, key=lambda values: abs(values.mean())))


def test_fig11_finds_the_layer_with_most_of_the_change_and_outlines_the_head():
    tables = made_up(3)
    patching = tables["patching"]
    patching["nll_change"] = patching["layer"].map({0: 1.0, 1: -6.0, 2: 3.0})
    patching.loc[(patching["layer"] == 2) & (patching["id"] == 7), "nll_change"] = 0.0
    drawing = fig11.draw(tables, SETTINGS)
    for found in drawing.numbers["directions"].values():
        assert found["layer"] == 1
        assert found["layer_share"] == pytest.approx(6 / (1 + 6 + 2.25))
    shares = drawing.data.groupby("layer")["share_rises"].first()
    assert shares.tolist() == [1, 0, 0.75]
    for axes in drawing.figure.axes[:2]:
        (low, high) = (
            {patch.get_xy()[1] for patch in axes.patches},
            {patch.get_height() for patch in axes.patches},
        )
        assert len(axes.patches) == 3 and low == {0.5} and high == {1}
        assert outlined(axes) == [(2, 1), (6, 1), (10, 1)]


def test_fig11_says_that_patches_were_estimated():
    tables = made_up()
    drawing = fig11.draw(tables, SETTINGS)
    assert "first-order estimates" not in caption(fig11, drawing)
    assert "to these exact values" in caption(fig11, drawing)
    tables["patching"] = tables["attribution_patching"].assign(method="attribution")
    drawing = fig11.draw(tables, SETTINGS)
    assert "first-order estimates" in caption(fig11, drawing)
    assert "exact values" not in caption(fig11, drawing)
    labels = [axes.get_ylabel() + axes.get_xlabel() for axes in drawing.figure.axes]
    assert "estimated change in NLL (nats)" in labels


def test_spread_pairs_leave_out_those_whose_two_ends_are_one():
    tables = made_up()
    changes = spread_pairs(tables["residual_patching"], tables["perturbed_paragraphs"])
    assert set(changes["id"]) == {7, 9, 12}


def test_means_equal_a_loop_over_pairs():
    tables = made_up()
    residual = tables["residual_patching"]
    means = aligned_means(spread_pairs(residual, tables["perturbed_paragraphs"]))
    change = residual.set_index(["direction", "id", "layer", "position"])["nll_change"]
    expected = {}
    for direction in DIRECTIONS:
        for layer in range(2):
            for name, (perturbed, impact) in PLACES.items():
                if perturbed == impact - 1:
                    continue
                for position in range(perturbed, impact):
                    value = change[direction, name, layer, position]
                    if position - perturbed < WINDOW and position != impact - 1:
                        expected.setdefault((direction, layer, "p", position - perturbed), []).append(value)
                    if impact - position <= WINDOW and position != perturbed:
                        expected.setdefault((direction, layer, "i", position - impact), []).append(value)
    found = means.set_index(["direction", "layer", "anchor", "offset"])
    assert set(found.index) == set(expected)
    for key, values in expected.items():
        assert found.loc[key, "mean"] == pytest.approx(np.mean(values))
        assert found.loc[key, "n_pairs"] == len(values)


def test_example_is_the_pair_with_most_tokens_between_its_ends():
    tables = made_up()
    drawing = prefix_patching.draw(tables, SETTINGS)
    assert drawing.numbers["example"] == 7 and letters_of(drawing.figure) == "abc"
    as_long = made_up(places={7: (3, 50), 5: (2, 49), 6: (4, 50)})
    assert prefix_patching.draw(as_long, SETTINGS).numbers["example"] == 5, "the smaller id of two"
    example = drawing.data.dropna(subset="id")
    assert sorted(example["position"].unique()) == list(range(3, 50))
    tokens = tables["perturbed_paragraphs"].set_index("id")["tokens"][7]
    text = tables["vocabulary"].set_index("token")["text"]
    for row in example.itertuples():
        assert row.text == text[tokens[int(row.position)]]


def test_the_example_is_that_of_its_direction():
    tables = made_up()
    rows = tables["residual_patching"]
    drawing = prefix_patching.draw(tables, SETTINGS)
    shown = rows[(rows["id"] == 7) & (rows["direction"] == "perturbed_into_memorized")]
    values = shown.pivot(index="layer", columns="position", values="nll_change")
    (axes,) = (axes for axes in drawing.figure.axes if "paragraph 7" in axes.get_title())
    np.testing.assert_allclose(mesh_values(axes).data.ravel(), values.to_numpy().ravel())
    assert axes.get_title().startswith("perturbed patched into memorized")
    labels = axes.get_xticklabels()
    tokens = tables["perturbed_paragraphs"].set_index("id")["tokens"][7][3:50]
    texts = [tables["vocabulary"]["text"][token] for token in tokens]
    assert [label.get_text() for label in labels] == [token_map.label(text) for text in texts]
    marked = [label.get_color() == COLOURS["perturbed"] for label in labels]
    assert marked == [True] + [False] * 46
    bars = [each.get_ylabel() for each in drawing.figure.axes if each.get_label() == "<colorbar>"]
    assert bars == ["change in NLL (nats)"] * 3


def test_maps_run_from_the_perturbed_to_the_impact_token():
    tables = made_up()
    drawing = prefix_patching.draw(tables, SETTINGS)
    axes, data = drawing.figure.axes[0], drawing.data
    assert axes.get_xlabel() == "token position (p perturbed, i impact)" and axes.get_ylabel() == "layer"
    for panel, direction in zip(drawing.figure.axes, DIRECTIONS, strict=False):
        (mesh,) = (artist for artist in panel.collections if isinstance(artist, QuadMesh))
        first = data[(data["direction"] == direction) & (data["anchor"] == "p") & (data["offset"] == 0)]
        assert mesh.get_array()[:, 0].tolist() == first.sort_values("layer")["mean"].tolist()
        assert np.ma.getmaskarray(mesh.get_array())[:, WINDOW].all()
        assert np.sum(mesh.get_clim()) == 0 and is_red_above_zero(mesh)
        assert panel.get_title() == DIRECTION_LABELS[direction] and panel.get_ylim() == (-0.5, 1.5)
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels[:2] == ["p", "p+1"] and labels[-2:] == ["i\u22122", "i\u22121"] and labels[WINDOW] == ""
    values = mesh_values(axes).reshape(2, len(labels))
    means = data[data["direction"] == DIRECTIONS[0]].set_index(["anchor", "offset", "layer"])["mean"]
    for place, (anchor, offset) in {0: ("p", 0), 1: ("p", 1), -2: ("i", -2), -1: ("i", -1)}.items():
        assert values[1, place] == pytest.approx(means[anchor, offset, 1])


@pytest.mark.parametrize(("n_layers", "layers"), [(1, []), (2, [1]), (4, [1, 3])])
def test_caption_follows_the_effect_through_the_first_and_the_last_layer(n_layers, layers):
    assert prefix_patching.draw(made_up(n_layers), SETTINGS).numbers["shown_layers"] == layers


def test_caption_follows_the_effect_from_the_perturbed_to_the_predicting_position():
    tables = made_up()
    residual = tables["residual_patching"]
    places = residual["id"].map(PLACES)
    perturbed, impact = places.str[0], places.str[1]
    residual["nll_change"] = 0.0
    residual.loc[(residual["layer"] == 0) & (residual["position"] == perturbed), "nll_change"] = 4.0
    residual.loc[(residual["layer"] == 1) & (residual["position"] == perturbed), "nll_change"] = 1.0
    residual.loc[(residual["layer"] == 1) & (residual["position"] == impact - 1), "nll_change"] = 3.0
    turned = residual["direction"] == DIRECTIONS[1]
    residual.loc[turned, "nll_change"] = residual.loc[turned, "nll_change"].map({0: 0, 4: -8, 1: -4, 3: 2})
    text = caption(prefix_patching, prefix_patching.draw(tables, SETTINGS))
    assert (
        "full effect of 4.00 nats. Before layer 1, 25 % of it is left at p and 75 % has arrived at i-1."
        in text
    )
    assert (
        "full effect of -8.00 nats. Before layer 1, 50 % of it is left at p and -25 % has arrived at i-1."
        in text
    )


def test_pairs_whose_ends_are_all_one_are_drawn_too():
    drawing = prefix_patching.draw(made_up(places={4: (49, 50), 5: (49, 50)}), SETTINGS)
    assert not drawing.numbers["spread"]
    assert "in all of which the perturbed token p predicts the impact token" in caption(
        prefix_patching, drawing
    )
