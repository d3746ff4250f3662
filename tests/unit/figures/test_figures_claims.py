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
from memloc.tables import across_models, storage, validation
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
        "data": "edited paragraphs" if topic == "editing" else "sampled paragraphs",
        "work": "2403.19851",
        "section": "5.3",
        "statement": LONG,
        "published": np.nan,
        "value": 2.0,
        "low": 1.0,
        "high": 3.0,
        "n": 8,
        "n_other": None,
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


def table(*rows):
    return validation.validate(
        schema_of("claims"), pd.DataFrame(rows).astype({"n_other": "Int64"}), Lengths()
    )


def made_up():
    return table(
        claim("first", HOLDS, n_other=9),
        claim("second", FAILS, low=-3.0, value=-2.0, high=-1.0),
        claim("third", OPEN, n=4, low=np.nan, high=np.nan),
        claim("fourth", HOLDS, "patching", rule="equal within", margin=4.0),
        claim("fifth", HOLDS, "impact", published=0.956, work="2202.07646"),
        claim(
            "sixth", NOT_APPLICABLE, "impact", **dict.fromkeys(("value", "low", "high")), n=0, reason="None."
        ),
    )


def test_every_claim_is_counted_and_the_caption_says_so():
    drawing = claims.draw({"claims": made_up()}, {})
    assert drawing.numbers["counts"] == {HOLDS: 3, FAILS: 1, OPEN: 1, NOT_APPLICABLE: 1}
    caption = fill((REPORT / "claims.rst").read_text(), drawing.numbers | {"study": "mini"})
    assert "6 statements on 3 topics" in caption and "3 hold" in caption and "one of 2 families" in caption


def test_claims_are_written_below_their_topic_which_names_its_data():
    figure = claims.draw({"claims": made_up()}, {}).figure
    (axes,) = figure.axes
    written = [text.get_text() for text in axes.texts]
    assert clipped_labels(figure) == [] and overlapping_labels(figure) == []
    assert [text for text in written if text in ("Editing", "Patching", "Impact")] == [
        "Editing",
        "Patching",
        "Impact",
    ]
    assert (
        written.count("sampled paragraphs: 3 claims") == 2
        and written.count("edited paragraphs: 3 claims") == 1
    )
    assert {"8 + 9 paragraphs", "8 paragraphs", "2 (1 to 3)", "None."} < set(written)
    assert "2 (1 to 3), published 0.956" in " ".join(written)
    assert " ".join(text for text in written if len(text) > 10 and text in LONG).startswith(LONG)
    assert any(text.endswith("(2202.07646)") for text in written)
    assert [text for text in written if text in VERDICTS] == made_up()["verdict"].to_list()
    marks = [line for line in axes.lines if line.get_marker() in ("o", "X", "_")]
    for mark, verdict in zip(marks, made_up()["verdict"], strict=True):
        look = verdict_marks.MARKS[verdict]
        assert (mark.get_marker(), mark.get_markerfacecolor()) == (look["marker"], look["mfc"])


def test_all_claims_fit_a_page():
    rows = [claim(f"claim {number}", HOLDS, f"topic {number % 18}") for number in range(45)]
    figure = claims.draw({"claims": table(*sorted(rows, key=lambda row: row["topic"]))}, {}).figure
    assert clipped_labels(figure) == [] and figure.get_figheight() < 11.7


def strips(*rows):
    """Ends of the drawn intervals and the mark of their values, in half-intervals from the bound."""
    middle, unit = claims.STRIP.left + claims.STRIP_WIDTH / 2, claims.STRIP_WIDTH / 2 / (claims.FURTHEST + 1)
    lines = claims.draw({"claims": table(*rows)}, {}).figure.axes[0].lines
    ends = [(line.get_xdata() - middle) / unit for line in lines if line.get_linewidth() == 1.2]
    values = [line.get_marker() for line in lines if line.get_marker() in ("|", "<", ">")]
    return [([round(float(end), 6) for end in pair], value) for pair, value in zip(ends, values, strict=True)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ([1, 3], "|")),
        ({"low": -4.0, "value": -2.0, "high": -1.5}, ([-5, -3], "|")),  # of the half towards the bound
        ({"low": -1.0, "value": 0.5}, ([-2 / 3, 4 / 3], "|")),
        ({"rule": "at least", "margin": 2.0, "bound": -2.0}, ([3, 5], "|")),
        ({"rule": "equal within", "margin": 6.0}, ([3, 5], "|")),
        ({"rule": "equal within", "margin": 1.0}, ([-2, 0], "|")),
        ({"value": 90.0, "low": 89.0, "high": 91.0}, ([7, 9], ">")),
        ({"value": -90.0, "low": -91.0, "high": -89.0}, ([-9, -7], "<")),
    ],
)
def test_an_interval_is_drawn_in_halves_of_itself_from_the_bound(changes, expected):
    ((ends, value),) = strips(claim("a", HOLDS, **changes))
    assert ends == pytest.approx(expected[0], abs=1e-5) and value == expected[1]


def test_what_has_no_interval_or_does_not_vary_has_no_strip():
    point = claim("a", OPEN, low=2.0, high=2.0)
    assert strips(point, claim("b", OPEN, low=np.nan, high=np.nan)) == []


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
