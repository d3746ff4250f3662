"""Figures of verdicts, on claims that are made up: what is drawn, counted and said."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn_parts import legend_of, letters_of, words
from figure_labels import clipped_labels, overlapping_labels
from made_rankings import ranked_with_samples

from memloc.figures import claims, stability
from memloc.figures.parts import verdict_marks
from memloc.figures.parts.style import METHOD_LABELS, subplots
from memloc.run.templates import fill
from memloc.tables import across_models, schema, storage
from memloc.tables.schema import Lengths
from memloc.tables.schemas import schema_of
from memloc.tables.terms.claims import VERDICTS

REPORT = Path(__file__).parents[3] / "workflow/report"
HOLDS, FAILS, OPEN, NOT_APPLICABLE = VERDICTS
LONG = "A statement that is as long as some of them are, so that it takes more than one line of the table."


def claim(name, verdict, topic="editing", **changes):
    row = {
        "id": name,
        "topic": topic,
        "work": "2403.19851",
        "section": "5.3",
        "statement": LONG,
        "published": np.nan,
        "value": 2.0,
        "low": 1.0,
        "high": 3.0,
        "n": 8,
        "quantity": "tokens forgotten",
        "unit": "paragraph",
        "rule": "greater",
        "margin": 0.0,
        "bound": 0.0,
        "margin_reason": "the text says so",
        "verdict": verdict,
        "reason": "the interval is above 0",
        "figures": "fig5",
    }
    return row | changes


def made_up():
    rows = [
        claim("first", HOLDS),
        claim("second", FAILS, low=-3.0, value=-2.0, high=-1.0),
        claim("third", OPEN, n=4, low=np.nan, high=np.nan),
        claim("fourth", HOLDS, "patching", rule="equal within", margin=4.0),
        claim("fifth", HOLDS, "patching", rule="exact", published=13450.0, low=np.nan, high=np.nan),
        claim("sixth", NOT_APPLICABLE, "patching", value=np.nan, low=np.nan, high=np.nan, n=0),
    ]
    return schema.validate(schema_of("claims"), pd.DataFrame(rows), Lengths())


def test_every_claim_is_counted_and_the_caption_says_so():
    drawing = claims.draw({"claims": made_up()}, {})
    assert drawing.numbers["counts"] == {HOLDS: 3, FAILS: 1, OPEN: 1, NOT_APPLICABLE: 1}
    caption = fill((REPORT / "claims.rst").read_text(), drawing.numbers | {"study": "mini"})
    assert "6 statements on 2 topics" in caption and "3 hold" in caption


def shown(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_claims_are_written_below_their_topic_between_words():
    figure = claims.draw({"claims": made_up()}, {}).figure
    texts = shown(figure)
    assert clipped_labels(figure) == [] and overlapping_labels(figure) == []
    assert texts.count("Editing") == texts.count("Patching") == 1
    assert "13,450" in texts and "8 paragraphs" in texts
    lines = [text for text in texts if len(text) > 10 and text in LONG]
    assert " ".join(lines[:2]) == LONG
    assert [text for text in texts if text in VERDICTS] == made_up()["verdict"].to_list()
    (axes,) = figure.axes
    cells = {text.get_position(): text.get_text() for text in axes.texts}
    colours = {text.get_position(): text.get_color() for text in axes.texts}
    tops = [text.get_position()[1] for text in axes.texts if text.get_text() in VERDICTS]
    marks = [line for line in axes.lines if line.get_marker() in ("o", "X", "_")]
    for top, mark, row in zip(tops, marks, made_up().itertuples(), strict=True):
        found = {name: cells.get((getattr(claims, name).left, top), "") for name in ("SOURCE", "PUBLISHED")}
        assert found == {"SOURCE": "5.3", "PUBLISHED": "13,450" if row.id == "fifth" else ""}
        applies = row.verdict != NOT_APPLICABLE
        interval = f" ({row.low:.3g} to {row.high:.3g})" if np.isfinite(row.low) else ""
        written = f"{row.value:.4g}{interval} tokens forgotten" if applies else row.reason
        assert cells[claims.FOUND.left, top] == written
        assert cells.get((claims.UNITS.left, top), "") == (f"{row.n} paragraphs" if applies else "")
        assert (colours[claims.FOUND.left, top] == "black") == applies
        look, shade = verdict_marks.MARKS[row.verdict], verdict_marks.COLOURS[row.verdict]
        assert colours[claims.VERDICT.left + 0.14, top] == mark.get_markeredgecolor() == shade
        assert (mark.get_marker(), mark.get_markerfacecolor()) == (look["marker"], look["mfc"])
        assert 0 < mark.get_ydata()[0] - top < claims.LINE_HEIGHT
    heights = [text.get_position()[1] for text in axes.texts if text.get_text() in ("Editing", "Patching")]
    assert heights[0] < tops[0] < tops[2] < heights[1] < tops[3]
    middle, half = claims.STRIP.left + claims.STRIP_WIDTH / 2, claims.STRIP_WIDTH / 2
    values = [(line.get_xdata()[0] - middle) / half for line in axes.lines if line.get_marker() == "|"]
    assert values == pytest.approx([2 / 3, -2 / 3, 1 / 2])
    intervals = [line.get_color() for line in axes.lines if line.get_solid_capstyle() == "butt"]
    assert intervals == [verdict_marks.COLOURS[verdict] for verdict in (HOLDS, FAILS, HOLDS)]
    bounds = [line.get_ydata() for line in axes.lines if list(line.get_xdata()) == [middle, middle]]
    assert np.mean(bounds, axis=1) == pytest.approx([marks[place].get_ydata()[0] for place in (0, 1, 3)])


def test_the_last_of_many_topics_is_not_cut():
    rows = [claim(f"claim {number}", HOLDS, f"topic {number}") for number in range(15)]
    figure = claims.draw({"claims": pd.DataFrame(rows)}, {}).figure
    assert clipped_labels(figure) == []


def test_a_claim_of_another_work_names_it():
    row = claim("first", HOLDS, work="2202.07646", section="3")
    assert "2202.07646, 3" in " ".join(shown(claims.draw({"claims": pd.DataFrame([row])}, {}).figure))


def strips(frame):
    """Ends of the drawn intervals, in widths of half a strip from the bound in the middle."""
    middle, half = claims.STRIP.left + claims.STRIP_WIDTH / 2, claims.STRIP_WIDTH / 2
    axes = claims.draw({"claims": frame}, {}).figure.axes[0]
    lines = [line.get_xdata() for line in axes.lines if line.get_solid_capstyle() == "butt"]
    return [list((np.asarray(ends) - middle) / half) for ends in lines]


def test_an_interval_is_drawn_on_its_side_of_the_bound():
    rows = [claim("a", HOLDS), claim("b", FAILS, low=-4.0, high=-1.0), claim("c", OPEN, low=-1.0, high=2.0)]
    assert strips(pd.DataFrame(rows)) == [
        pytest.approx(ends) for ends in ([1 / 3, 1], [-1, -0.25], [-0.5, 1])
    ]


def test_a_margin_moves_the_bound_and_an_equivalence_fills_its_margin():
    rows = [claim("a", HOLDS, rule="at least", margin=2.0, bound=-2.0)]
    assert strips(pd.DataFrame(rows)) == [pytest.approx([0.6, 1])]
    rows = [claim("a", HOLDS, rule="equal within", margin=6.0)]
    assert strips(pd.DataFrame(rows)) == [pytest.approx([1 / 6, 0.5])]


@pytest.mark.parametrize(("margin", "part"), [(6.0, 1.0), (2.0, 2 / 3)])
def test_the_margin_of_an_equivalence_is_grey_on_the_scale_of_its_interval(margin, part):
    rows = [claim("a", HOLDS, rule="equal within", margin=margin)]
    (grey,) = claims.draw({"claims": pd.DataFrame(rows)}, {}).figure.axes[0].collections
    across = grey.get_paths()[0].vertices[:, 0] - claims.STRIP.left - claims.STRIP_WIDTH / 2
    assert np.array([across.min(), across.max()]) / (claims.STRIP_WIDTH / 2) == pytest.approx([-part, part])


def test_where_nothing_changed_a_point_lies_on_the_bound():
    assert strips(pd.DataFrame([claim("a", FAILS, value=0.0, low=0.0, high=0.0)])) == [pytest.approx([0, 0])]


def test_no_interval_and_no_application_have_no_strip():
    assert strips(made_up().iloc[[2, 4, 5]]) == []


def luminance(colour):
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_verdicts_differ_also_without_colour():
    looks = {(mark["marker"], mark["mfc"] in ("white", "none")) for mark in verdict_marks.MARKS.values()}
    assert len(looks) == len(VERDICTS)
    colours = verdict_marks.COLOURS
    assert abs(luminance(colours[HOLDS]) - luminance(colours[FAILS])) > 0.05


# Over several runs.


def runs(verdicts, column="seed"):
    """A claim in several runs: verdicts by name."""
    frames = [
        pd.DataFrame([claim(name, found[run], value=float(run)) for name, found in verdicts.items()]).assign(
            **{column: run}
        )
        for run in range(len(next(iter(verdicts.values()))))
    ]
    return pd.concat(frames, ignore_index=True)


VERDICTS_BY_SEED = {
    "always": [HOLDS, HOLDS, HOLDS],
    "never": [FAILS, FAILS, FAILS],
    "wavers": [HOLDS, OPEN, HOLDS],
    "contradicts": [HOLDS, FAILS, OPEN],
    "nowhere": [NOT_APPLICABLE] * 3,
    "sometimes": [HOLDS, NOT_APPLICABLE, HOLDS],
}


def test_a_claim_survives_if_every_run_to_which_it_applies_says_the_same():
    spread = verdict_marks.survival(runs(VERDICTS_BY_SEED), "seed").set_index("id")
    expected = [HOLDS, FAILS, "differs", "differs", NOT_APPLICABLE, HOLDS]
    assert spread["verdict"].to_list() == expected
    assert spread["n_runs"].to_list() == [3, 3, 3, 3, 0, 2]
    assert spread.loc["contradicts", [HOLDS, FAILS, OPEN]].to_list() == [1, 1, 1]
    assert spread.loc["always", ["lowest", "highest", "deviation"]].to_list() == [0, 2, 1]
    assert spread.loc["sometimes", ["lowest", "highest"]].to_list() == [0, 2]
    numbers = verdict_marks.survival_numbers(spread.reset_index(), 3)
    assert numbers["counts"] == {HOLDS: 2, FAILS: 1, OPEN: 0, NOT_APPLICABLE: 1, "differs": 2}
    assert (numbers["n_claims"], numbers["n_applied"], numbers["contradicted"]) == (6, 5, 1)
    assert numbers["differ"] == ["wavers", "contradicts"]


def ranked(n_layers, n_heads, seed):
    return ranked_with_samples(n_layers, n_heads, seed)[0]


def rankings(n_seeds):
    return pd.concat(
        [ranked(3, 4, seed=seed).assign(seed=seed) for seed in range(n_seeds)], ignore_index=True
    )


def test_first_ranks_are_counted_over_seeds():
    same = pd.concat([ranked(3, 4, seed=5).assign(seed=seed) for seed in range(3)], ignore_index=True)
    assert set(stability.first_ranks(same)["n_first"]) == {3}
    counts = stability.first_ranks(rankings(4)).groupby("method", observed=True)["n_first"].sum()
    assert set(counts) == {4}


def test_methods_are_told_by_whether_all_seeds_have_the_same_first_head():
    """patching has head 1 first in two of three seeds, combined head 0 in all, rare_tokens three heads."""
    firsts = {"patching": [0, 1, 1], "combined": [0, 0, 0], "rare_tokens": [2, 0, 1]}
    rows = [
        (method, seed, 0, head, 1 + (head - first) % 3)
        for method, by_seed in firsts.items()
        for seed, first in enumerate(by_seed)
        for head in range(3)
    ]
    ranking = pd.DataFrame(rows, columns=["method", "seed", "layer", "head", "rank"])
    numbers = stability._numbers(stability.first_ranks(ranking), ranking, [0, 1, 2])
    labels = [METHOD_LABELS[method] for method in ("combined", "patching", "rare_tokens")]
    assert numbers["same"] == labels[:1] and numbers["most"] == {labels[1]: 2, labels[2]: 1}
    assert numbers["n_heads"] == 3
    _, axes = subplots()
    stability._draw_firsts(axes, stability.first_ranks(ranking.query("method != 'combined'")), 3)
    assert axes.images[0].get_clim() == (0, 3), "also where no head is first with all seeds"


@pytest.mark.parametrize("verdicts", [VERDICTS_BY_SEED, {f"claim_{i}": [HOLDS] * 3 for i in range(45)}])
def test_stability_is_readable_and_its_caption_complete(verdicts):
    frames = {"claims": runs(verdicts), "head_ranking": rankings(3)}
    drawing = stability.draw(frames, {})
    assert clipped_labels(drawing.figure) == [] and overlapping_labels(drawing.figure) == []
    caption = fill((REPORT / "stability.rst").read_text(), drawing.numbers | {"study": "mini"})
    assert not any(word in caption for word in ("None", "nan", "{", "}"))
    assert "3 seeds of sampling (0, 1, 2)" in caption
    left, right, bar = drawing.figure.axes
    assert list(legend_of(drawing.figure)) == list(VERDICTS)
    assert bar.get_ylabel() == "seeds with this head first" and letters_of(drawing.figure) == "ab"
    assert words(left.get_xticklabels()) == ["0", "1", "2"]
    assert words(left.get_yticklabels()) == [name.replace("_", " ") for name in verdicts]
    marks = {
        tuple(line.get_xydata()[0]): line.get_marker() for line in left.lines if len(line.get_xdata()) == 1
    }
    looks = {verdict: mark["marker"] for verdict, mark in verdict_marks.MARKS.items()}
    assert marks == {
        (seed, row): looks[verdict]
        for row, by_seed in enumerate(verdicts.values())
        for seed, verdict in enumerate(by_seed)
    }
    spans = {text.get_position()[1]: text.get_text() for text in left.texts}
    applies = [
        [seed for seed, found in enumerate(row) if found != NOT_APPLICABLE] for row in verdicts.values()
    ]
    assert spans == {row: f"{seeds[0]} to {seeds[-1]}" for row, seeds in enumerate(applies) if seeds}
    (image,) = right.images
    heads = words(right.get_xticklabels())
    counts = {label: dict.fromkeys(heads, 0) for label in METHOD_LABELS.values()}
    for row in frames["head_ranking"].query("rank == 1").itertuples():
        counts[METHOD_LABELS[row.method]][f"L{row.layer}H{row.head}"] += 1
    methods = words(right.get_yticklabels())
    assert image.get_array().tolist() == [[counts[method][head] for head in heads] for method in methods]
    assert sorted(methods) == sorted(counts) and image.get_clim() == (0, 3)
    totals = image.get_array().sum(axis=0)
    assert totals.tolist() == sorted(totals, reverse=True)
    written = {text.get_position(): text.get_text() for text in right.texts}
    assert written == {(x, y): f"{n or ''}" for (y, x), n in np.ndenumerate(image.get_array().astype(int))}


def test_tables_of_seeds_are_read_in_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "read", lambda name, path: pd.DataFrame({"path": [str(path)]}))
    paths = {name: [f"{folder}/{name}.parquet" for folder in "abc"] for name in ("claims", "sets")}
    found = across_models.read_seeds(paths, [0, 4, 2])
    assert found["sets"].to_dict("list") == {"path": paths["sets"], "seed": [0, 4, 2]}
