"""Paragraphs that a section of the settings lists, by number or by their text; documents by number."""

import json

import pandas as pd
import pytest

from memloc.data.listed import listed_ids
from memloc.data.places import numbered
from memloc.run.errors import InputError
from memloc.settings.remove import Listed

TEXTS = [" the cat sat", "on the mat\n", "a dog", "barks"]
PARAGRAPHS = pd.DataFrame({"id": [4, 7, 9, 11], "text": TEXTS})
SETS = pd.DataFrame({"id": [4, 7, 9, 11], "set": ["memorized", "memorized", "non_memorized", "memorized"]})


def listed(files=(), **asked):
    return listed_ids("remove", Listed(**asked), files, PARAGRAPHS, SETS)


def test_ids_are_taken_in_their_order():
    assert listed(ids=[11, 4]) == [11, 4]
    assert listed() == []


def test_ids_of_other_paragraphs_are_an_error():
    with pytest.raises(InputError, match=r"remove.ids: not memorized paragraphs of this study: \[9, 99\]"):
        listed(ids=[4, 99, 9])


def test_memorized_paragraphs_whose_text_is_in_a_file_are_listed(tmp_path):
    plain, rows = tmp_path / "book.txt", tmp_path / "rows.jsonl"
    plain.write_text("first: on the mat\nthen the cat sat there with a dog")
    rows.write_text("\n".join(json.dumps({"text": text}) for text in ("barks", "on the mat")))
    assert listed([plain]) == [4, 7]  # 9 is not memorized
    assert listed([str(rows)]) == [7, 11]
    assert listed([str(rows), str(plain)]) == [4, 7, 11]


def test_a_text_that_holds_none_is_an_error(tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text("\n".join(json.dumps({"text": text}) for text in ("barks", "a dog")))
    with pytest.raises(InputError, match=r"remove.files: .*rows.jsonl, text 2: no memorized paragraph"):
        listed([str(rows)])


def test_a_row_without_a_text_says_where_it_belongs(tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"body": "on the mat"}))
    with pytest.raises(InputError, match=r"line 1: no text in 'text', the key or column that is read"):
        listed([str(rows)])


def test_documents_are_numbered_in_their_files():
    found = numbered(["b", "b", "a", "b", "a"])
    assert found.to_numpy().tolist() == [["b", 0], ["b", 1], ["a", 0], ["b", 2], ["a", 1]]
