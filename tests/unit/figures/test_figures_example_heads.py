"""Figures 6 and 12 on made-up tables: gradients and attention of a layer's heads over an example's tokens."""

import numpy as np
import pandas as pd
import pytest
from drawn_parts import words
from figure_labels import checked
from made_activations import MEMORIZED, N_PREFIX, OTHERS, SETTINGS, TEXTS, made_up, map_values, panels
from made_settings import changed

from memloc.figures import fig6, fig12
from memloc.figures.parts import token_map
from memloc.figures.parts.style import COLOURS, subplots
from memloc.localization.head_profiles import correlation_of_profiles

pytestmark = pytest.mark.usefixtures("examples")


def triangles(axes) -> list[int]:
    """Positions that triangles above a map mark."""
    return [text.xy[0] for text in axes.texts if text.get_text() == "\u25bc"]


def test_figure_6_averages_the_memorized_paragraphs_and_the_prefix_alone():
    tables = made_up()
    numbers = fig6.draw(tables, SETTINGS).numbers
    gradients = tables["activation_gradients"].query(
        "group == 'memorized' and component == 'v' and layer == 1 and position < @N_PREFIX"
    )
    attention = tables["attention"].query("layer == 1 and id in @MEMORIZED")
    positions = tables["perturbed_paragraphs"].set_index("id")["position"]
    for name, rows, value in (
        ("gradient", gradients, "max_abs"),
        ("attention", attention, "attention"),
    ):
        wide = rows.astype({"head": int}).pivot(index=["id", "head"], columns="position", values=value)
        likeness, below = np.zeros((3, 4)), np.zeros((3, 4))
        for row, paragraph in enumerate(MEMORIZED):
            values = wide.loc[paragraph].to_numpy()
            r = np.corrcoef(values)
            likeness[row] = [np.delete(r[head], head).mean() for head in range(4)]
            below[row] = (values < values[:, [positions[paragraph]]]).sum(axis=1) / (N_PREFIX - 1)
        found, alike, share = numbers["all"][name], likeness.mean(axis=0), below.mean(axis=0)
        assert (found["correlation"].value, found["correlation"].n) == (pytest.approx(alike[2]), 3)
        assert found["correlation_all"] == pytest.approx(alike.mean())
        assert (found["least_alike"], found["least_correlation"]) == (
            alike.argmin(),
            pytest.approx(alike.min()),
        )
        assert (found["below"], found["below_all"]) == (pytest.approx(share[2]), pytest.approx(share.mean()))
        assert (found["below_best"], found["below_max"]) == (share.argmax(), pytest.approx(share.max()))
    assert numbers["n_paragraphs"] == 3


def test_figure_6_compares_gradients_and_attention_of_the_same_head():
    tables = made_up()
    gradients = tables["activation_gradients"].query(
        "group == 'memorized' and layer == 1 and position < @N_PREFIX"
    )
    gradients = gradients.astype({"head": int}).set_index(["id", "head", "position"])["max_abs"]
    attention = tables["attention"].query("layer == 1").set_index(["id", "head", "position"])["attention"]
    both = [[(gradients[i, head], attention[i, head]) for i in MEMORIZED] for head in range(4)]
    means = np.array([np.mean([np.corrcoef(*pair)[0, 1] for pair in pairs]) for pairs in both])
    agreement = fig6.draw(tables, SETTINGS).numbers["agreement"]
    assert agreement["head"] == pytest.approx(means[2])
    assert agreement["others"] == pytest.approx(np.delete(means, 2).mean())


def test_figure_12_finds_the_most_similar_heads_of_either_layer():
    tables = made_up(2, 4)
    attention = tables["attention"].set_index(["layer", "head"]).sort_index()
    attention.loc[(0, 3), "attention"] = attention.loc[(1, 2), "attention"].to_numpy()
    tables["attention"] = attention.reset_index()
    numbers = fig12.draw(tables, SETTINGS).numbers
    assert numbers["closest"] == 3
    assert numbers["closest_correlation"] == pytest.approx(1)
    wide = (
        tables["attention"]
        .query("layer == 1")
        .pivot(index=["id", "head"], columns="position", values="attention")
    )
    likeness = np.mean([np.corrcoef(wide.loc[paragraph])[2] for paragraph in MEMORIZED], axis=0)
    assert numbers["own_layer_correlation"] == pytest.approx(np.delete(likeness, 2).max())


def test_figure_12_leaves_out_paragraphs_outside_of_the_sample():
    """Memorized ones that were not drawn, and non-memorized ones, have attention for other analyses."""
    tables = made_up(2, 4)
    expected = fig12.draw(tables, SETTINGS).numbers
    attention = tables["attention"]
    noise = np.random.default_rng(9).dirichlet(np.ones(N_PREFIX), len(attention) // N_PREFIX).ravel()
    others = attention.assign(id=attention["id"] + 100, attention=noise)
    sets = tables["sets"].assign(id=tables["sets"]["id"] + 100, set="memorized", sampled=False)
    more = tables | {
        "attention": pd.concat([attention, others]),
        "sets": pd.concat([tables["sets"], sets]),
    }
    changed = more["attention"]["id"].isin(OTHERS)
    more["attention"].loc[changed, "attention"] = (
        more["attention"].loc[changed, "attention"].iloc[::-1].to_numpy()
    )
    numbers = fig12.draw(more, SETTINGS).numbers
    for name in ("n_paragraphs", "closest", "closest_correlation", "own_layer_correlation"):
        assert numbers[name] == expected[name], name
    assert numbers["n_paragraphs"] == len(MEMORIZED)


def profile_frame(values: dict[tuple[int, int], list[float]]) -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples(values, names=["id", "head"])
    return pd.DataFrame(list(values.values()), index, dtype=float)


def test_correlation_of_profiles_repeats_key_value_heads():
    gradient = profile_frame({(5, 0): [1, 2, 3], (5, 1): [3, 1, 0]})
    attention = profile_frame(
        {(5, head): row for head, row in enumerate([[2, 4, 6], [3, 2, 1], [6, 2, 0], [0, 2, 3]])}
    )
    assert correlation_of_profiles(gradient, attention).loc[5].tolist() == pytest.approx([1, -1, 1, -1])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (" of", "\u2423of"),
        ("\n", "\u21b5"),
        (" internationalization_of", "\u2423internationaliza\u2026"),
        ("x" * 18, "x" * 18),
        ("x" * 19, "x" * 17 + "\u2026"),
    ],
)
def test_token_labels_are_visible_and_short(text, shown):
    assert token_map.label(text) == shown


def test_a_token_map_draws_head_0_on_top_and_outlines_a_row():
    _, axes = subplots(4, 2)
    mesh = token_map.token_map(axes, pd.DataFrame([[5.0, 1], [2, 3], [4, 8]]), highlight=1)
    assert mesh.get_clim() == (0, 8)
    assert axes.get_ylim() == (2.5, -0.5)
    (outline,) = axes.patches
    assert mesh.get_array().tolist() == [[5, 1], [2, 3], [4, 8]] and axes.get_yticks().tolist() == [0, 1, 2]
    assert (outline.get_xy(), outline.get_width(), outline.get_height()) == ((-0.5, 0.5), 2, 1)


def wide_of(tables, paragraph, layer, name="attention"):
    """Heads x prefix positions of a paragraph, of attention or of the gradients of values."""
    if name == "attention":
        rows = tables["attention"].query("id == @paragraph and layer == @layer")
        return rows.pivot(index="head", columns="position", values="attention")
    rows = tables["activation_gradients"].query(
        "group == 'memorized' and id == @paragraph and layer == @layer"
    )
    rows = rows[rows["position"] < N_PREFIX].astype({"head": int})
    return rows.pivot(index="head", columns="position", values="max_abs")


def shown_tokens(tables, paragraph):
    tokens = tables["paragraphs"].set_index("id")["tokens"][paragraph][:N_PREFIX]
    return [TEXTS[token] for token in tokens]


def test_figure_6_shows_the_example_in_the_layer_of_the_head_and_marks_the_perturbed_token():
    tables = made_up(n_kv_heads=2)
    drawing = fig6.draw(tables, SETTINGS)
    top, bottom = panels(drawing)
    np.testing.assert_array_equal(map_values(top), wide_of(tables, 8, 1, "gradient"))
    np.testing.assert_array_equal(map_values(bottom), wide_of(tables, 8, 1))
    assert bottom.get_ylim() == (3.5, -0.5)  # head 0 on top
    outlined = [axes.patches[0].get_xy()[1] + 0.5 for axes in (top, bottom)]
    assert outlined == [1, 2], "the key-value head of the query head"
    tokens = shown_tokens(tables, 8)
    assert [triangles(axes) for axes in (top, bottom)] == [[0], [0]]
    labels = bottom.get_xticklabels()
    assert words(labels) == [token_map.label(text) for text in tokens]
    assert [label.get_color() == COLOURS["perturbed"] for label in labels] == [True] + [False] * 9
    written = drawing.data.query("panel == 'attention' and head == 0").sort_values("position")
    assert written["token"].tolist() == tokens


def test_figure_6_names_the_tokens_and_numbers_of_the_example():
    tables = made_up()
    drawing = fig6.draw(tables, SETTINGS)
    tokens = shown_tokens(tables, 8)
    for name, found in drawing.numbers["example"].items():
        wide = wide_of(tables, 8, 1, name)
        strongest = wide.loc[2].sort_values(ascending=False).index[:3]
        assert found["tokens"] == [(token_map.label(tokens[at]), at) for at in strongest]
        assert (found["mean"], found["value"]) == pytest.approx((wide.loc[2].mean(), wide.loc[2, 0]))
        assert (found["top_head"], found["top_value"]) == (wide[0].to_numpy().argmax(), wide[0].max())
    assert "Triangle" in checked("fig6", drawing)


@pytest.mark.parametrize(("layer", "shown"), [(0, 1), (1, 2), (2, 1)])
def test_figure_12_shows_the_next_layer_of_figure_6s_paragraph(layer, shown):
    tables = made_up(3, 4)
    drawing = fig12.draw(tables, changed(SETTINGS, highlight={"layer": layer, "head": 2}))
    nll, em, below = panels(drawing)
    wide, tokens, numbers = wide_of(tables, 8, shown), shown_tokens(tables, 8), drawing.numbers
    np.testing.assert_array_equal(map_values(below), wide)
    assert not below.patches, "the head is of the other layer"
    assert words(below.get_xticklabels()) == [token_map.label(text) for text in tokens]
    assert triangles(below) == [0]
    curve = tables["perturbation"].query("id == 3 and position >= 0")
    assert nll.lines[0].get_ydata().tolist() == curve["nll_original"].tolist()
    assert em.lines[0].get_ydata().tolist() == curve["em"].tolist()
    assert (numbers["other"], numbers["example"]["id"], numbers["id"]) == (shown, 3, 8)
    assert numbers["marked"] == (token_map.label(tokens[0]), 0)
    strongest = wide.mean().sort_values(ascending=False).index[:3]
    assert numbers["tokens"] == [(token_map.label(tokens[at]), at) for at in strongest]
    assert (numbers["top_head"], numbers["top_value"]) == (wide[0].argmax(), wide[0].max())


def test_figures_without_a_second_example_or_a_perturbation_that_changes_it(monkeypatch):
    monkeypatch.setattr(fig12, "example_ids", lambda tables: [8])
    tables = made_up()
    tables["perturbed_paragraphs"] = tables["perturbed_paragraphs"].query("id != 8")
    drawing = fig12.draw(tables, SETTINGS)
    assert (drawing.numbers["id"], drawing.numbers["example"]["id"]) == (8, 8)
    assert "triangle" not in checked("fig12", drawing)
    assert "Triangle" not in checked("fig6", fig6.draw(tables, SETTINGS))
