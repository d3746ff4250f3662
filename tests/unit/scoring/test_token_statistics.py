"""NLL of continuation tokens against the plain model's logits, and what figure min_k makes of it."""

import numpy as np
import pandas as pd
import pytest
import torch
from drawn_parts import colour_of
from figure_labels import checked
from matplotlib import pyplot as plt

from memloc.figures import min_k
from memloc.figures.min_k import paragraph_scores
from memloc.figures.parts.style import COLOURS
from memloc.scoring.token_statistics import continuation_nll, nll_frame
from memloc.settings.sections import sections
from memloc.statistics import uncertainty

N_PREFIX = 5


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_nll_is_that_of_the_plain_logits(tiny_model, tiny_tokens):
    with torch.no_grad():
        logits = tiny_model(tiny_tokens).logits.double()
    nll = continuation_nll(tiny_model, tiny_tokens, N_PREFIX, micro_batch=3)
    frame = nll_frame(nll, np.arange(7) * 10, N_PREFIX).set_index(["id", "position"])["nll"]
    for paragraph, position in np.ndindex(7, 12):
        if position >= N_PREFIX:
            log_p = logits[paragraph, position - 1].log_softmax(-1)[tiny_tokens[paragraph, position]]
            assert frame[10 * paragraph, position] == pytest.approx(-log_p.item(), abs=1e-5)
    assert len(frame) == 7 * (tiny_tokens.shape[1] - N_PREFIX)


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
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def drawn(table: pd.DataFrame):
    return min_k.draw({"token_statistics": table}, sections({}))


@pytest.mark.parametrize(("percent", "n_tokens"), [(20, 10), (1, 1), (3, 2), (100, 50)])
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
def test_the_figure_is_readable_and_its_caption_complete(own_continuation, unseen):
    caption = checked("min_k", drawn(made_up(own_continuation, unseen)))
    assert ("greedy continuation" in caption) == own_continuation
    assert ("No paragraph is known to be unseen." in caption) != unseen
    assert ("* 5 unseen paragraphs" in caption) == unseen


def test_each_group_is_separated_from_memorized_paragraphs():
    drawing = drawn(made_up(unseen=True))
    memorized = drawing.data.query("set == 'memorized'")
    by_text = drawing.data.set_index(["set", "continuation"])
    others = {"model": ("non_memorized", "model"), "corpus": ("non_memorized", "corpus")}
    for name, group in (others | {"unseen": ("unseen", "corpus")}).items():
        rows = by_text.loc[[group]]
        expected = {key: uncertainty.auroc(memorized[key], rows[key]) for key in ("min_k", "mean")}
        found = {"n": 5, "median": rows["min_k"].median(), **expected}
        assert drawing.numbers["separation"][name] == found
    numbers = {key: drawing.numbers[key] for key in ("n_memorized", "median", "percent")}
    assert numbers == {"n_memorized": 6, "median": memorized["min_k"].median(), "percent": 20}


def test_min_k_plots_every_text():
    drawing = drawn(made_up())
    groups = [("memorized", "corpus"), ("non_memorized", "model"), ("non_memorized", "corpus")]
    assert drawing.figure.axes[0].get_title() == "20 % least likely tokens"
    for axes, column in zip(drawing.figure.axes, ("min_k", "mean"), strict=True):
        for place, (group, dots, median) in enumerate(zip(groups, axes.collections, axes.lines, strict=True)):
            rows = (drawing.data["set"] == group[0]) & (drawing.data["continuation"] == group[1])
            expected = drawing.data.loc[rows, column]
            values, heights = dots.get_offsets().T
            assert values.tolist() == expected.tolist()
            assert (abs(heights - place) < 0.3).all() and colour_of(dots) == COLOURS[group[0]]
            assert list(median.get_xdata()) == [expected.median()] * 2
            assert np.mean(median.get_ydata()) == place
    labels = [label.get_text().replace("\n", " ") for label in drawing.figure.axes[0].get_yticklabels()]
    assert labels == ["memorized", "non-memorized, own continuation", "non-memorized, true continuation"]
    assert drawing.figure.axes[0].yaxis_inverted()
