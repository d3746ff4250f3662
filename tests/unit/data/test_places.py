"""Places of paragraphs in files, and texts that share no window."""

import numpy as np

from memloc.data.own_text import distinct, write_stream
from memloc.data.places import numbered, texts_of


def test_documents_are_numbered_in_their_files():
    found = numbered(["b", "b", "a", "b", "a"])
    assert found.to_numpy().tolist() == [["b", 0], ["b", 1], ["a", 0], ["b", 2], ["a", 1]]


def test_no_two_texts_hold_windows_of_the_same_tokens(tmp_path):
    """Documents 0 and 2 share a passage, and so do 2 and 3: windows of these could overlap."""
    own = [list(range(100 * number, 100 * number + 12)) for number in range(5)]
    shared, other = [7, 8, 9, 10], [17, 18, 19, 20]
    documents = [own[0] + shared, own[1], shared + own[2] + other, own[3] + other, own[4][:2], own[4]]
    with (tmp_path / "tokens").open("w+b") as file:
        cut, begins = write_stream(documents, 4, 1, file)
        seen, number = distinct(cut)
        document = np.searchsorted(begins, cut.starts, side="right") - 1
        text = texts_of(number, document)
        tokens = seen.windows(seen.starts)
    assert len(text) == len(seen.starts) and len(np.unique(text)) == 3
    rows = [*zip(tokens.tolist(), text, strict=True)]
    holders = {n: {label for row, label in rows if n in row} for n in np.unique(tokens).tolist()}
    assert {len(labels) for labels in holders.values()} == {1}
