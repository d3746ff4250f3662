"""Published numbers and lists next to those of a run: joined by text, compared exactly, nothing assumed."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn_parts import table_rows, words

from memloc.data.paragraphs import token_tensor
from memloc.figures import expected as expected_figure
from memloc.model.token_text import decoded
from memloc.published import expected
from memloc.published.expected import agreement_numbers, compare
from memloc.run.errors import InputError
from memloc.run.templates import fill
from memloc.tables import storage
from memloc.tables.columns import Lengths
from memloc.tables.schemas import schema_of
from memloc.tables.validation import validate

ROOT = Path(__file__).parents[3]
CAPTIONS = ROOT / "workflow/report"


@pytest.fixture
def run():
    """Six paragraphs of a run: a, b, c are memorized, d and e are not, f is dropped."""
    return {
        "paragraphs": pd.DataFrame(
            {"id": range(6), "count": [9, 8, 7, 60, 1, 500], "tokens": [[0]] * 6, "text": list("abcdef")}
        ),
        "scores": pd.DataFrame({"id": range(5), "em": [50, 50, 50, 49, 3], "nll": [0.1, 0.2, 0.3, 0.4, 3.0]}),
        "n_continuation": 50,
    }


def memorized_agreement(published, **run):
    """The agreement with an NLL of whole paragraphs that is larger by 1."""
    agreement = expected.memorized_agreement(published, **run)
    return agreement.assign(nll_paragraph=agreement["nll"] + 1)


@pytest.fixture
def published():
    """a and b as here (b with a larger count), d that is memorized there only, f dropped here, z unknown."""
    return pd.DataFrame(
        {
            "paragraph": ["z", "d", "b", "a", "f"],
            "id": [70, 30, 20, 10, 60],
            "count": [5, 59, 80, 9, 500],
            "nll": [0.5, 0.3, 0.2, 0.101, 0.6],
        }
    )


def test_lists_are_joined_by_text(run, published):
    agreement = memorized_agreement(published, **run).set_index("text").sort_index()
    assert "".join(agreement.index) == "abcdfz"
    assert "".join(agreement.index[agreement["published"]]) == "abdfz"
    assert "".join(agreement.index[agreement["memorized"]]) == "abc"
    expected = [3, 30, 49, 0.4, 0.3]
    assert agreement.loc["d", ["id", "published_id", "em", "nll", "published_nll"]].tolist() == expected
    assert agreement.loc[["f", "z"], ["id", "count", "em", "nll"]].isna().all(axis=None)
    assert agreement.loc["c", ["published_id", "published_count", "published_nll"]].isna().all()


def test_agreement_is_counted(run, published):
    numbers = agreement_numbers(memorized_agreement(published, **run))
    assert numbers == {
        "n_published": 5,
        "n_both": 2,
        "n_only_here": 1,
        "n_only_published": 3,
        "n_found": 3,
        "n_equal_counts": 1,
        "nll_difference_max": pytest.approx(0.1),
        "nll_difference_median": pytest.approx(0.001),
        "nll_paragraph_difference_max": pytest.approx(1.1),
        "nll_paragraph_difference_median": pytest.approx(1),
    }


def test_two_paragraphs_of_one_text_count_once(run, published):
    run["paragraphs"]["text"] = ["a", "b", "b", "d", "a", "f"]
    agreement = memorized_agreement(published, **run)
    assert agreement["text"].is_unique
    assert agreement.set_index("text").loc[["a", "b"], "id"].tolist() == [0, 1]
    assert agreement_numbers(agreement)["n_only_here"] == 0


def test_nothing_in_common(run, published):
    agreement = memorized_agreement(published.assign(paragraph=list("vwxyz")), **run)
    numbers = agreement_numbers(agreement)
    assert (numbers["n_both"], numbers["n_only_here"], numbers["n_only_published"]) == (0, 3, 5)
    assert numbers["nll_difference_max"] is numbers["nll_difference_median"] is None
    assert compare({}, {}, agreement).set_index("quantity")["found"].isna().sum() == 4


def test_of_equal_texts_the_memorized_one_stands_whatever_its_id(run, published):
    run["paragraphs"]["text"] = ["x", "y", "v", "w", "u", "f"]
    run["scores"]["em"] = [49, 50, 3, 3, 50]
    run["paragraphs"].loc[[0, 1], "text"] = "a"
    agreement = memorized_agreement(published, **run).set_index("text")
    assert agreement.loc["a", ["id", "memorized"]].tolist() == [1, True]
    assert agreement["memorized"].sum() == 2


def test_numbers_of_the_run_are_those_of_kept_paragraphs(run):
    sizes = {"n_memorized": 3, "n_non_memorized": 1, "n_partly_11_29": 0, "n_partly_30_49": 1}
    assert expected.run_numbers(**run) == sizes | {"n_paragraphs": 5, "max_count": 60}
    fewer = run | {"scores": run["scores"][3:]}
    assert expected.run_numbers(**fewer)["n_memorized"] == 0
    assert expected.run_numbers(**run | {"scores": run["scores"][:0]})["max_count"] == 0


def test_published_numbers_are_compared_with_those_of_the_filter_that_they_come_from(run):
    other = expected.run_numbers(**run | {"scores": run["scores"][:3]})
    found = expected.run_numbers(**run) | expected.of_reference(other)
    frame = compare(expected.of_reference({"n_paragraphs": 3, "n_memorized": 3}), found)
    frame = frame.set_index("quantity")
    assert frame.loc["n_paragraphs_reference", ["expected", "found", "agrees"]].tolist() == [3, 3, True]
    assert frame.loc["n_paragraphs", "found"] == 5 and pd.isna(frame.loc["n_paragraphs", "agrees"])


def test_comparison_is_exact_and_open_where_nothing_is_expected(run):
    found = expected.run_numbers(**run)
    frame = compare({"n_paragraphs": 5, "n_memorized": 442, "max_count": None}, found).set_index("quantity")
    assert frame["found"].to_dict() == found
    assert frame.loc["n_paragraphs", "agrees"] and not frame.loc["n_memorized", "agrees"]
    assert frame.loc[["n_non_memorized", "max_count"], ["expected", "agrees"]].isna().all(axis=None)


def test_tables_and_figures_take_what_is_compared(run, published, tmp_path):
    stamp = {"paragraph": {"length": 100, "prefix": 50}}
    agreement = memorized_agreement(published, **run)
    comparison = compare({"n_memorized": 3}, expected.run_numbers(**run), agreement)
    frames = {"memorized_agreement": agreement, "expected": comparison}
    for name, frame in frames.items():
        storage.write(schema_of(name), frame, tmp_path / name, stamp)
    stored = {name: storage.read(schema_of(name), tmp_path / name) for name in frames}

    drawing = expected_figure.draw(stored, {})
    assert drawing.numbers == {"n_compared": 6, "n_agree": 1}
    header = ("quantity", "published", "this run", "equal")
    lines = {row["quantity"]: row for row in table_rows(drawing.figure.axes[0], header)}
    assert list(lines) == [expected_figure.LABELS[name] for name in comparison["quantity"]]
    first, overlap = (lines[expected_figure.LABELS[name]] for name in ("n_memorized", "n_both"))
    assert [first[name] for name in header[1:]] == ["3", "3", "yes"]
    assert [overlap[name] for name in header[1:]] == ["5", "2", "no"]
    written = drawing.figure.axes[0].texts
    assert {text.get_color() for text in written if text.get_text() in ("yes", "no")} == {"black", "#b35900"}
    only = ("memorized here, not published", "published, not memorized here")
    assert [[lines[name][key] for key in header[1:3]] for name in only] == [["0", "1"], ["0", "3"]]
    largest = lines["largest difference in NLL of continuations"]
    assert "equal" not in largest and "published" not in largest and largest["this run"] == "0.1"
    assert lines["occurrences of the most frequent one"]["this run"] == "60"
    caption = (CAPTIONS / "expected.rst").read_text()
    assert "1 of 6 are equal" in fill(caption, {"study": "x", **drawing.numbers})


def test_large_numbers_are_written_with_commas():
    row = {"quantity": "n_paragraphs", "expected": 13450.0, "found": 13449.0, "agrees": False}
    drawing = expected_figure.draw({"expected": pd.DataFrame([row])}, {})
    assert {"13,450", "13,449"} < set(words(drawing.figure.axes[0].texts))


def test_texts_that_look_like_missing_values_are_texts(tmp_path):
    (tmp_path / "list.csv").write_text("paragraph,id,count,em,nll\nNA,1,3,50,0.1\nb,2,4,50,0.2\n")
    frame = expected.read_memorized_list(tmp_path / "list.csv")
    assert frame["paragraph"].tolist() == ["NA", "b"]
    assert frame.columns.tolist() == ["paragraph", "id", "count", "nll"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("text,id,count,nll\na,1,2,0.1", "expected columns paragraph, .*got text.* no paragraph"),
        ("paragraph,id,count,nll\na,1,3,0.1\nb,2,4,low", "expected numbers in column nll, got 'low'"),
        ("paragraph,id,count,nll\nb,1,3,0.1\nb,2,4,0.2", "expected every paragraph once, got row 1 again"),
    ],
)
def test_a_list_that_cannot_be_used_is_explained(tmp_path, rows, said):
    (tmp_path / "list.csv").write_text(rows)
    with pytest.raises(InputError, match=rf"list\.csv: {said}"):
        expected.read_memorized_list(tmp_path / "list.csv")


def test_the_published_list_joins_with_decoded_tokens(gpt2, published_folder):
    """A run that memorizes what the paper's does, with rows of other numbers, agrees in every paragraph."""
    published = expected.read_memorized_list(published_folder / "mem_paragraphs.csv")
    tokens = token_tensor(np.load(published_folder / "em50_tokens.npy"))
    n = len(published)
    order = np.random.default_rng(0).permutation(n)
    paragraphs = pd.DataFrame(
        {
            "id": range(1000, 1000 + n),
            "count": published["count"].to_numpy()[order],
            "tokens": list(tokens[order].numpy()),
            "text": decoded(tokens[order], gpt2),
        }
    )
    scores = pd.DataFrame({"id": paragraphs["id"], "em": 50, "nll": published["nll"].to_numpy()[order]})
    agreement = expected.memorized_agreement(published, paragraphs, scores, 50)
    agreement["nll_paragraph"] = agreement["nll"]
    numbers = agreement_numbers(agreement)
    differences = [f"nll_{of}difference_{what}" for of in ("", "paragraph_") for what in ("max", "median")]
    others = dict.fromkeys(["n_only_here", "n_only_published", *differences], 0)
    assert {key: value for key, value in numbers.items() if value != n} == others
    validate(schema_of("memorized_agreement"), agreement, Lengths())
