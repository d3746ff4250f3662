"""Statistics of continuation tokens against the plain model's logits, and what the figures make of them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from drawn_parts import band_at, colour_of, legend_of
from figure_labels import clipped_labels, overlapping_labels
from matplotlib import pyplot as plt
from scipy import stats

from memloc.figures import logit_differences, min_k
from memloc.figures.min_k import paragraph_scores
from memloc.figures.parts.style import COLOURS
from memloc.run.templates import fill
from memloc.scoring.token_statistics import statistics_frame, token_statistics
from memloc.settings.sections import sections
from memloc.statistics import uncertainty

REPORT = Path(__file__).parents[3] / "workflow" / "report"
N_PREFIX = 5


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_statistics_are_those_of_the_plain_logits(tiny_model, tiny_tokens):
    with torch.no_grad():
        logits = tiny_model(tiny_tokens).logits.double()
    found = token_statistics(tiny_model, tiny_tokens, N_PREFIX, micro_batch=3)
    for paragraph in range(7):
        for position in range(N_PREFIX, 12):
            here = logits[paragraph, position - 1]
            true = tiny_tokens[paragraph, position]
            at = paragraph, position - N_PREFIX
            ordered = here.sort(descending=True).values
            assert found.nll[at].item() == pytest.approx(-here.log_softmax(-1)[true].item(), abs=1e-5)
            assert found.margin[at].item() == pytest.approx((ordered[0] - ordered[1]).item(), abs=1e-5)
            assert found.true_rank[at].item() == (here > here[true]).sum().item()
    assert found.true_rank.max() > 10


def test_frame_has_one_row_per_token(tiny_gpt2, tiny_tokens):
    statistics = token_statistics(tiny_gpt2, tiny_tokens, N_PREFIX, 7)
    frame = statistics_frame(statistics, np.arange(7) * 10, N_PREFIX)
    assert len(frame) == 7 * 7
    row = frame[(frame.id == 30) & (frame.position == 8)]
    assert row.nll.item() == statistics.nll[3, 3].item()
    assert row.margin.item() == statistics.margin[3, 3].item()
    assert row.true_rank.item() == statistics.true_rank[3, 3].item()


def made_up(own_continuation: bool = True, unseen: bool = False) -> pd.DataFrame:
    """Table of 6 memorized and 5 other paragraphs; the memorized ones are surer throughout."""
    random, frames = np.random.default_rng(0), []
    groups = [("memorized", "corpus", 6, 0.1), ("non_memorized", "corpus", 5, 4.0)]
    if own_continuation:
        groups.append(("non_memorized", "model", 5, 1.0))
    if unseen:
        groups.append(("unseen", "corpus", 5, 4.5))
    for name, continuation, n, scale in groups:
        shape = (n, 50)
        paragraph, offset = (axis.ravel() for axis in np.indices(shape))
        frames.append(
            pd.DataFrame(
                {
                    "id": paragraph + (100 if name == "memorized" else 200),
                    "set": name,
                    "continuation": continuation,
                    "position": 50 + offset,
                    "nll": random.gamma(1.0, scale, shape).ravel(),
                    "margin": random.gamma(2.0, 1 / scale, shape).ravel(),
                    "true_rank": random.integers(0, 2, shape).ravel() * (continuation == "corpus"),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


@pytest.mark.parametrize(("percent", "n_tokens"), [(20, 10), (1, 1), (3, 2)])
def test_min_k_is_the_mean_of_the_least_likely_tokens(percent, n_tokens, monkeypatch):
    monkeypatch.setattr(min_k, "MIN_K_PERCENT", percent)
    table = made_up()
    scores = paragraph_scores(table)
    assert len(scores) == 6 + 5 + 5
    for row in scores.itertuples():
        chosen = (table.id == row.id) & (table["continuation"] == row.continuation)
        nll = sorted(table.nll[chosen], reverse=True)
        assert row.min_k == pytest.approx(-np.mean(nll[:n_tokens]))
        assert row.mean == pytest.approx(-np.mean(nll))


@pytest.mark.parametrize(("own_continuation", "unseen"), [(True, False), (False, True)])
@pytest.mark.parametrize("module", [min_k, logit_differences])
def test_figures_are_readable_and_captions_complete(module, own_continuation, unseen):
    tables = {"token_statistics": made_up(own_continuation, unseen)}
    drawing = module.draw(tables, sections({}))
    assert clipped_labels(drawing.figure) == []
    assert overlapping_labels(drawing.figure) == []
    template = (REPORT / f"{module.__name__.split('.')[-1]}.rst").read_text()
    caption = fill(template, drawing.numbers | {"study": "made up"})
    assert ("greedy continuation" in caption) == own_continuation
    if module is min_k:
        assert ("No paragraph is known to be unseen." in caption) != unseen
        assert ("* 5 unseen paragraphs" in caption) == unseen


def test_controls_are_separated_from_memorized_paragraphs_by_themselves():
    table = made_up(unseen=True)
    drawing = min_k.draw({"token_statistics": table}, sections({}))
    data = drawing.data
    for name, of in (("unseen", "unseen"), ("corpus", "non_memorized")):
        rows = data[(data["set"] == of) & (data["continuation"] == "corpus")]
        expected = uncertainty.auroc(data.query("set == 'memorized'").min_k, rows.min_k)
        assert drawing.numbers["separation"][name]["min_k"] == expected
    alone = logit_differences.draw({"token_statistics": made_up()}, {})
    beside = logit_differences.draw({"token_statistics": table}, {})
    pd.testing.assert_frame_equal(alone.data, beside.data)


def test_min_k_plots_every_text():
    drawing = min_k.draw({"token_statistics": made_up()}, sections({}))
    groups = [("memorized", "corpus"), ("non_memorized", "model"), ("non_memorized", "corpus")]
    titles = ["20 % least likely tokens", "all tokens of the continuation"]
    assert [axes.get_title() for axes in drawing.figure.axes] == titles
    assert [axes.get_title(loc="left") for axes in drawing.figure.axes] == ["a", "b"]
    same = min_k.draw({"token_statistics": made_up()}, sections({})).figure.axes
    again = iter(dots.get_offsets()[:, 1].tolist() for axes in same for dots in axes.collections)
    assert {axes.get_xlabel() for axes in drawing.figure.axes} == {"mean log-probability (nats per token)"}
    for axes, column in zip(drawing.figure.axes, ("min_k", "mean"), strict=True):
        for place, (group, dots, median) in enumerate(zip(groups, axes.collections, axes.lines, strict=True)):
            rows = (drawing.data["set"] == group[0]) & (drawing.data["continuation"] == group[1])
            expected = drawing.data.loc[rows, column]
            values, heights = dots.get_offsets().T
            assert values.tolist() == expected.tolist() and heights.tolist() == next(again)
            assert (abs(heights - place) < 0.3).all() and colour_of(dots) == COLOURS[group[0]]
            assert (
                list(median.get_xdata()) == [expected.median()] * 2 and np.mean(median.get_ydata()) == place
            )
    labels = [label.get_text().replace("\n", " ") for label in drawing.figure.axes[0].get_yticklabels()]
    assert labels == ["memorized", "non-memorized, own continuation", "non-memorized, true continuation"]
    assert drawing.figure.axes[0].yaxis_inverted()
    for name, found in drawing.numbers["separation"].items():
        rows = drawing.data.query(f"set == 'non_memorized' and continuation == '{name}'")
        assert (found["n"], found["median"]) == (5, rows["min_k"].median())
        expected = uncertainty.auroc(drawing.data.query("set == 'memorized'")["mean"], rows["mean"])
        assert found["mean"] == expected
    median = np.median(drawing.data.query("set == 'memorized'")["min_k"])
    assert (drawing.numbers["n_memorized"], drawing.numbers["median"]) == (6, median)
    assert drawing.numbers["percent"] == 20
    memorized = drawing.data.query("set == 'memorized'").min_k
    others = drawing.data.query("set == 'non_memorized' and continuation == 'model'").min_k
    assert drawing.numbers["separation"]["model"]["min_k"] == uncertainty.auroc(memorized, others)


def test_logit_differences_plots_means_over_paragraphs():
    table = made_up()
    drawing = logit_differences.draw({"token_statistics": table}, {})
    (axes,) = drawing.figure.axes
    drawn = {line.get_label().replace("\n", " "): line.get_ydata() for line in axes.lines}
    assert list(drawn) == [
        "memorized",
        "non-memorized, own continuation",
        "non-memorized, true continuation",
    ]
    own = table[(table["set"] == "non_memorized") & (table["continuation"] == "model")]
    expected = [own.margin[own.position == position].mean() for position in range(50, 100)]
    np.testing.assert_allclose(drawn["non-memorized, own continuation"], expected)
    names = (axes.get_xlabel(), axes.get_ylabel())
    assert axes.get_ylim()[0] == 0
    assert names == ("token position in the paragraph", "largest logit \u2212 second largest")
    assert [line.get_linestyle() for line in axes.lines] == ["-", "--", "-"]
    colours = [COLOURS["memorized"], *[COLOURS["non_memorized"]] * 2]
    assert list(map(colour_of, axes.lines)) == list(map(colour_of, axes.collections)) == colours
    assert [label.replace("\n", " ") for label in legend_of(drawing.figure)] == list(drawn)
    memorized = drawing.data[drawing.data["set"] == "memorized"].set_index("position")
    for position in (50, 73, 99):
        assert band_at(axes.collections[0], position) == tuple(memorized.loc[position, ["low", "high"]])
    numbers = drawing.numbers
    assert (numbers["first_position"], numbers["n_memorized"], numbers["n_non_memorized"]) == (50, 6, 5)
    for suffix, rows in (("", table), ("_first", table[table["position"] == 50])):
        means = rows.groupby(["set", "continuation"])["margin"].mean()
        assert numbers[f"memorized{suffix}"] == pytest.approx(means["memorized", "corpus"])
        assert numbers[f"non_memorized{suffix}"] == pytest.approx(means["non_memorized"].to_dict())
    true = table[(table["set"] == "non_memorized") & (table["continuation"] == "corpus")]
    assert numbers["first_choice_corpus"] == pytest.approx((true["true_rank"] == 0).mean())
    first = table[(table["set"] == "memorized") & (table.position == 50)].margin
    half = stats.t.ppf(0.975, 5) * first.std() / np.sqrt(6)
    ends = [first.mean() - half, first.mean() + half]
    assert drawing.data[["low", "high"]].iloc[0].tolist() == pytest.approx(ends)
    few = table[table["id"].isin(table["id"].unique()[:2])]
    assert logit_differences.mean_margins(few)[["low", "high"]].isna().all(axis=None)
