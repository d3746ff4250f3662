"""Passages of windows that overlap: cases by hand, and a comparison of all pairs."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from memloc.scoring.passages import PLACE, nearest_decoded, passages, place, without_neighbours

LENGTH, PREFIX = 10, 6


def windows(*places, n_edits=0, file="a.txt", document=0):
    """Windows of a document whose tokens are their own positions."""
    rows = {"file": file, "document": document, "start": list(places), "n_edits": n_edits}
    found = pd.DataFrame(rows).assign(id=range(len(places)), line=[7 + place for place in places])
    return found.assign(tokens=[np.arange(place, place + LENGTH) for place in places])


def found(*parts):
    """Start, end, number of windows and verbatim run of the passages of some windows."""
    joined = pd.concat(parts).sort_values(PLACE, ignore_index=True)
    made = passages(without_neighbours(joined, LENGTH), LENGTH, PREFIX)
    for row in made.itertuples():
        assert row.tokens.tolist() == list(range(row.start, row.end)) and row.line == 7 + row.start
    return made[["start", "end", "n_windows", "verbatim_run"]].to_numpy().tolist()


def test_no_passage_goes_from_one_document_or_file_into_another():
    parts = windows(0), windows(1, document=1), windows(2, file="b.txt", document=1)
    assert found(*parts) == [[0, 10, 1, 4], [1, 11, 1, 4], [2, 12, 1, 4]]


def test_windows_nearly_recited_beside_recited_ones_do_not_widen_their_passage():
    near = windows(0, 4, 20, 23, n_edits=[3, 1, 2, 1])
    assert found(windows(8, 9), near) == [[8, 19, 2, 5], [20, 33, 2, 0]]
    made = passages(near, LENGTH, PREFIX)
    assert made["id"].tolist() == [1, 3] and made["n_edits"].tolist() == [1, 1]


def test_a_reader_looks_a_passage_up_by_its_line():
    row = SimpleNamespace(file="a/poems.txt.gz", document=0, line=12)
    assert place(row) == "a/poems.txt.gz, line 12"
    row.file, row.document = "b.jsonl", 3
    assert place(row) == "b.jsonl, document 4, line 12", "people count from 1"


def test_the_nearest_has_the_fewest_edits_and_of_several_the_first_place():
    decoded = pd.DataFrame({"id": [0, 1, 2], "n_edits": [4, 2, 2]})
    places = windows(5, 30, 20).drop(columns="n_edits")
    found = nearest_decoded(decoded, pd.concat([places, places[2:].assign(start=3, file="0.txt")]))
    assert (found.id, found.file, found.start, found.n_edits) == (2, "0.txt", 3, 2)


def test_nothing_recited_is_no_passage():
    assert found(windows()) == []


def test_passages_are_those_of_comparing_all_pairs():
    random = np.random.default_rng(0)
    for _ in range(20):
        starts = np.flatnonzero(random.random(200) < 0.1)
        groups = []
        for start in starts:
            if groups and any(abs(start - other) < LENGTH for other in groups[-1]):
                groups[-1].append(start)
            else:
                groups.append([start])
        expected = []
        for group in groups:
            recited = {start + at for start in group for at in range(PREFIX, LENGTH)}
            runs = "".join("x" if place in recited else " " for place in range(max(recited) + 1)).split()
            expected.append([group[0], group[-1] + LENGTH, len(group), max(map(len, runs))])
        assert found(windows(*starts)) == expected
