"""Fractions that models memorize, by their size and by repeats, on tables whose numbers are known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn_parts import legend_of
from figure_labels import clipped_labels, overlapping_labels
from made_models import SIZES, tables_of
from scipy import stats

from memloc.figures import models_memorized, models_repeats
from memloc.run.templates import fill
from memloc.settings.sections import sections

REPORT = Path(__file__).parents[3] / "workflow/report"
SETTINGS = sections({"paragraph": {"length": 100, "prefix": 50}})


@pytest.fixture(scope="module")
def made_up() -> dict[str, pd.DataFrame]:
    return tables_of(SIZES)


def test_fractions_and_intervals_are_those_of_the_counts(made_up):
    drawing = models_memorized.draw(made_up, SETTINGS)
    data = drawing.data.set_index("model")
    assert data["n_memorized"].to_dict() == {"small": 50, "middle": 100, "large-long.name": 150}
    assert data["fraction"].to_list() == [50 / 400, 100 / 400, 150 / 400]
    for row in data.itertuples():
        interval = stats.binomtest(row.n_memorized, 400).proportion_ci(0.95, method="wilson")
        assert (row.low, row.high) == pytest.approx((interval.low, interval.high))
    (axes,) = drawing.figure.axes
    assert list(legend_of(drawing.figure)) == list(SIZES) and axes.get_xscale() == "log"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("parameters", "fraction memorized")
    assert axes.get_ylim()[0] == 0
    for place, ((point, _, (bar,)), row) in enumerate(zip(axes.containers, data.itertuples(), strict=True)):
        assert point.get_xydata().tolist() == [[10 ** (5 + place), row.fraction]]
        (ends,) = bar.get_segments()
        assert ends[:, 1] == pytest.approx((row.low, row.high))
    assert axes.lines[-1].get_xydata().tolist() == [[1e5, 0.125], [1e6, 0.25], [1e7, 0.375]]


def with_memorized(made_up, **ids):
    """The made-up tables with other memorized paragraphs."""
    sets = made_up["sets"].copy()
    for model, memorized in ids.items():
        rows = sets["model"] == model
        sets.loc[rows, "set"] = np.where(sets.loc[rows, "id"].isin(memorized), "memorized", "partly_11_29")
    return made_up | {"sets": sets}


def test_models_of_one_size_stand_side_by_side(made_up):
    """On an axis of parameters they would hide each other, and their spread would be called unknown."""
    tables = made_up | {"models": made_up["models"].assign(n_parameters=1000)}
    drawing = models_memorized.draw(tables, SETTINGS)
    dots = [line for line in drawing.figure.axes[0].lines if len(line.get_xdata()) == 1]
    assert {float(dot.get_xdata()[0]) for dot in dots} == {0, 1, 2}
    assert drawing.figure.axes[0].get_xlabel() == "models of 1,000 parameters"
    assert clipped_labels(drawing.figure) == [] and overlapping_labels(drawing.figure) == []
    template = (REPORT / "models_memorized.rst").read_text()
    two = made_up | {"models": made_up["models"].assign(n_parameters=[1000, 1000, 2000])}
    captions = [
        fill(template, models_memorized.draw(found, SETTINGS).numbers) for found in (tables, made_up, two)
    ]
    assert "differ in their training alone" in captions[2] and "against" in captions[2]
    assert "differ in their training alone" in captions[0] and "against" not in captions[0]
    assert "spread between training runs is unknown" in captions[1] and "against" in captions[1]


@pytest.mark.parametrize(
    ("small", "middle", "only"),
    [
        (range(0, 10), range(5, 40), (30, 5)),
        (range(0, 30), range(29, 32), (2, 29)),
        (range(0, 10), range(5, 18), (8, 5)),
        (range(0, 10), range(0, 10), (0, 0)),
        (range(0, 10), range(0, 14), (4, 0)),  # too few for an interval
    ],
)
def test_neighbours_are_compared_by_the_paragraphs_that_one_of_them_recites(made_up, small, middle, only):
    drawing = models_memorized.draw(with_memorized(made_up, small=small, middle=middle), SETTINGS)
    found = drawing.numbers["comparisons"][0]
    assert (found["only_larger"], found["only_smaller"]) == only
    text = " ".join(fill((REPORT / "models_memorized.rst").read_text(), drawing.numbers).split())
    said = text[text.index("Of 400 paragraphs") : text.index("Of 400 paragraphs", text.index("Of 400") + 1)]
    if sum(only) >= 6:
        interval = stats.binomtest(only[0], sum(only)).proportion_ci(0.95, method="wilson")
        assert f"a share of {only[0] / sum(only):.2f} ({interval.low:.2f} to {interval.high:.2f})" in said
    else:
        assert ("a share of 1.00 (n = 4)" in said) == (only == (4, 0))
    assert not any(word in said for word in ("undecided", "recites fewer"))


def test_smaller_models_are_compared_with_the_next_larger_one(made_up):
    backwards = made_up | {name: rows.iloc[::-1] for name, rows in made_up.items() if name != "models"}
    pairs = [
        (pair["smaller"], pair["larger"])
        for pair in models_memorized.draw(backwards, SETTINGS).numbers["comparisons"]
    ]
    assert pairs == [("small", "middle"), ("middle", "large-long.name")]


def test_paragraphs_that_are_not_the_same_text_are_not_compared(made_up):
    other = made_up["paragraphs"].copy()
    other.loc[other["model"] == "small", "text"] = "another tokenizer cuts other paragraphs"
    found = models_memorized.draw(made_up | {"paragraphs": other}, SETTINGS).numbers["comparisons"]
    assert [pair["n_shared"] for pair in found] == [0, 400]
    other["text"] = "of all paragraphs, each the same as the others"
    found = models_memorized.draw(made_up | {"paragraphs": other}, SETTINGS).numbers["comparisons"]
    assert [pair["n_shared"] for pair in found] == [400, 400]


def test_repeats_have_a_line_per_model_and_say_where_bands_are_apart(made_up):
    drawing = models_repeats.draw(made_up, SETTINGS)
    assert drawing.numbers["half"] == {"small": 64, "middle": 16, "large-long.name": 4}
    once = drawing.data.query("model == 'small' and repeats_max == 1").iloc[0]
    assert (once.n_paragraphs, once.n_memorized) == (225, 0)
    assert (drawing.numbers["n_bins"], drawing.numbers["n_bins_apart"]) == (8, 0)
    (axes,) = drawing.figure.axes
    assert list(legend_of(drawing.figure)) == [line.get_label() for line in axes.lines] == list(SIZES)
    assert (axes.get_xlabel(), axes.get_xscale()) == ("occurrences in the corpus", "log")
    sizes = [225] + [25] * 7
    for place, (line, band) in enumerate(zip(axes.lines, axes.collections, strict=True)):
        shares = [float(power >= 6 - 2 * place) for power in range(8)]
        assert line.get_xydata().tolist() == [[2**power, share] for power, share in enumerate(shares)]
        across_band = band.get_paths()[0].vertices
        for power, (share, n) in enumerate(zip(shares, sizes, strict=True)):
            found = across_band[across_band[:, 0] == 2**power, 1]
            interval = stats.binomtest(int(share * n), n).proportion_ci(0.95, method="wilson")
            assert (found.min(), found.max()) == pytest.approx((interval.low, interval.high))


def test_bands_are_apart_where_every_model_differs(made_up):
    ids = {model: [i for i in range(200, 400) if i % 10 < 2 + 3 * place] for place, model in enumerate(SIZES)}
    changed = with_memorized(made_up, **ids)
    for models in (changed["models"], changed["models"].iloc[[1, 0, 2]]):
        assert models_repeats.draw(changed | {"models": models}, SETTINGS).numbers["n_bins_apart"] == 1


def test_bins_of_some_models_only_are_not_compared(made_up):
    """`small` has no paragraph that occurs more often than once."""
    sets, paragraphs = made_up["sets"], made_up["paragraphs"]
    repeated = (paragraphs["model"] == "small") & (paragraphs["count"] > 1)
    left = paragraphs[~repeated]
    sets = sets.merge(left[["model", "id"]])
    numbers = models_repeats.draw(made_up | {"paragraphs": left, "sets": sets}, SETTINGS).numbers
    assert numbers["n_bins"] == 1


@pytest.mark.parametrize("module", [models_memorized, models_repeats])
def test_the_rate_on_unseen_paragraphs_stands_beside_that_on_seen_ones(made_up, module):
    """Ten controls of two models, one of which recites three of them; the third has none."""
    ids, recited = np.arange(1000, 1010), {"small": 0, "middle": 3}
    more = {
        "scores": [
            pd.DataFrame({"id": ids, "em": np.where(ids < 1000 + n, 50, 49), "model": model})
            for model, n in recited.items()
        ],
        "sets": [pd.DataFrame({"id": ids, "set": "unseen", "model": model}) for model in recited],
    }
    tables = made_up | {name: pd.concat([made_up[name], *parts]) for name, parts in more.items()}
    text = module.draw(tables, SETTINGS).numbers["unseen"]
    assert "small” 0.000 (0.000 to 0.278) of 10, “middle” 0.300 (0.108 to 0.603) of 10." in text
    assert "large" not in text
    assert "is known to be unseen" in module.draw(made_up, SETTINGS).numbers["unseen"]
