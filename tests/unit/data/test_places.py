"""Places of paragraphs in files."""

from memloc.data.places import numbered


def test_documents_are_numbered_in_their_files():
    found = numbered(["b", "b", "a", "b", "a"])
    assert found.to_numpy().tolist() == [["b", 0], ["b", 1], ["a", 0], ["b", 2], ["a", 1]]
