"""Real files, each once: which are drawn, what is held out, and exact counts in the packed text."""

import importlib.metadata

import numpy as np
import pandas as pd
import pytest
from plain_texts import places_of

from memloc.data import chosen_files, code
from memloc.data.tokenizer import END_OF_TEXT, train_tokenizer
from memloc.run.errors import InputError
from memloc.settings.data import CodeData
from memloc.settings.paragraph import Paragraph

LENGTH, CONTEXT = 12, 20
HEADER = "# Licensed to you by the makers of this file, who wish you well and ask for nothing.\n"


@pytest.fixture
def folder(tmp_path):
    """Thirty files that share a header and copy lines of each other; each has its own first line."""
    random = np.random.default_rng(0)
    words = ["".join(random.choice(list("abcdefgh"), size=5)) for _ in range(80)]
    lines = [" ".join(random.choice(words, size=9)) for _ in range(60)]
    for number in range(30):
        own = "\n".join(random.choice(lines, size=12))
        mark = f"class Marked:  # {END_OF_TEXT}\n" if number % 3 else ""
        path = tmp_path / f"part_{number % 4}" / f"file_{number}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{own[:60][::-1]}\n{HEADER}{mark}{own}")
    (tmp_path / "notes.txt").write_text("Not code.")
    return tmp_path


def data(at, **changes):
    given = {"folder": str(at), "megabytes": 0.01, "held_out": 0.2, "vocabulary": 300}
    return CodeData(source="code", **given | changes)


def made(folder, seed=0, **changes):
    how = data(folder, **changes)
    drawn = chosen_files.corpus(how, seed)
    tokenizer = train_tokenizer([file.text for file in drawn.trained], 300)
    paragraph = Paragraph(length=LENGTH, prefix=6)
    return drawn, tokenizer, code.tables_of(drawn, tokenizer, paragraph, how, CONTEXT, seed)


def test_files_are_drawn_whole_by_the_seed_and_some_are_held_out(folder):
    drawn = chosen_files.corpus(data(folder), 0)
    files = drawn.trained + drawn.held_out
    assert len({file.name for file in files}) == len(files) < 30
    assert all((folder / file.name).read_text() == file.text for file in files)
    assert len(drawn.held_out) == round(0.2 * len(files))
    sizes = [len(file.text) for file in files]
    assert sum(sizes) >= 10_000 > sum(sizes) - max(sizes)
    assert chosen_files.corpus(data(folder), 0) == drawn != chosen_files.corpus(data(folder), 1)
    assert chosen_files.corpus(data(folder, held_out=0), 0).held_out == []
    assert len(chosen_files.corpus(data(folder, held_out=0.01), 0).held_out) == 1, "some, if any"


def test_only_files_that_fit_a_pattern_and_hold_the_text_are_drawn(folder):
    patterns = ["part_1/*.py", "part_2/*.py", "part_*/file_1.py"]
    found = chosen_files.matching(data(folder, patterns=patterns, containing="class Marked"))
    names = [int(file.stem.removeprefix("file_")) for file in found]
    assert sorted(names) == [n for n in range(30) if n % 4 in (1, 2) and n % 3]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"patterns": ["*.cpp"]}, r"data.patterns: no files in .* fit \[.\*\.cpp.\]: correct patterns"),
        ({"containing": "nowhere"}, "no files that hold 'nowhere'"),
        ({"megabytes": 3}, "data.megabytes: 3 asked for, but the 30 files hold 0.02"),
        ({"held_out": 0.99}, r"data.held_out: all \d+ files would be held out"),
        ({"folder": "no/such"}, "data.folder: no/such: no such folder"),
        ({"folder": None, "package": "no_such_package"}, "no_such_package is no installed package"),
        ({"folder": None, "package": "six"}, "six is no installed package"),
    ],
)
def test_what_cannot_be_is_explained(folder, changes, message):
    with pytest.raises(InputError, match=message):
        chosen_files.corpus(data(folder, **changes), 0)


def test_a_file_that_is_no_text_is_named(folder):
    (folder / "latin.py").write_bytes("caf\u00e9".encode("latin-1"))
    with pytest.raises(InputError, match=r"latin.py: not UTF-8 text"):
        chosen_files.matching(data(folder))


def test_another_version_than_the_locked_one_is_mentioned(tmp_path):
    installed, lock = importlib.metadata.version("networkx"), tmp_path / "lock"
    assert chosen_files.unlike_locked("networkx", lock) is None
    lock.write_text(f"other==1\nnetworkx=={installed}\n")
    assert chosen_files.unlike_locked("networkx", lock) is None
    lock.write_text("networkx==0.0.1\n")
    assert f"networkx {installed}; with 0.0.1" in chosen_files.unlike_locked("networkx", lock)


def test_a_package_is_named_as_python_imports_it(tmp_path):
    version, lock = importlib.metadata.version("scikit-learn"), tmp_path / "lock"
    assert chosen_files.distribution("sklearn", "data.package").version == version
    named = CodeData(source="code", package="sklearn", patterns=["utils/*.py"], megabytes=0.1)
    described = chosen_files.description(named, chosen_files.corpus(named, 0))
    assert (described["package"], described["version"]) == ("scikit-learn", version)
    lock.write_text("scikit-learn==0.0.1\n")
    assert "with 0.0.1" in chosen_files.unlike_locked("sklearn", lock)
    with pytest.raises(InputError, match=r"data.package: scikit-learn .* the name that Python imports"):
        chosen_files.package_folder("scikit-learn", "data.package")


def test_counts_are_those_of_the_packed_text(folder):
    drawn, tokenizer, tables = made(folder)
    ends = tokenizer.eos_token_id
    text = [token for tokens in tables.training_stream["tokens"] for token in (*tokens, ends)]
    assert text.count(ends) == len(drawn.trained), "text that reads like end-of-text is text"
    found = tables.occurrences.groupby("id")["place"].apply(list)
    for row in tables.paragraphs.itertuples():
        places = places_of(row.tokens, text)
        assert row.count == len(places) and (not places or found[row.id] == places)
        assert row.whole_count == sum(at // CONTEXT == (at + LENGTH - 1) // CONTEXT for at in places)
        assert row.cut_count == row.count - row.whole_count and row.near_count >= row.count
        assert row.continuation_count == len(places_of(row.tokens[6:], text))
    seen = tables.paragraphs[~tables.paragraphs["held_out"]]
    assert (seen["count"] > 0).all() and seen["count"].max() >= len(drawn.trained)
    assert (seen["longest_run"] == LENGTH).all() and not seen["unseen"].any()


def test_held_out_paragraphs_are_of_other_files_and_unseen_ones_have_no_near_copy(folder):
    drawn, _, tables = made(folder)
    held_out = tables.paragraphs[tables.paragraphs["held_out"]]
    assert set(held_out["file"]) == {file.name for file in drawn.held_out}
    assert not set(tables.paragraphs["file"].drop(held_out.index)) & set(held_out["file"])
    assert held_out["unseen"].equals((held_out["near_count"] == 0) & (held_out["continuation_count"] == 0))
    assert held_out["unseen"].any() and (held_out["longest_run"] < LENGTH).any()
    assert (held_out.loc[held_out["unseen"], "longest_run"] < LENGTH).all()


def test_paragraphs_are_distinct_and_stand_where_their_place_says(folder):
    drawn, tokenizer, tables = made(folder)
    paragraphs, places = tables.paragraphs, tables.places
    assert len(set(map(tuple, paragraphs["tokens"]))) == len(paragraphs)
    texts = {file.name: file.text for file in drawn.trained + drawn.held_out}
    documents = dict(zip(texts, code._encoded([*drawn.trained, *drawn.held_out], tokenizer), strict=True))
    assert places["id"].tolist() == paragraphs["id"].tolist()
    for place, row in zip(places.itertuples(), paragraphs.itertuples(), strict=True):
        own = documents[place.file][place.start : place.start + LENGTH]
        assert (own == row.tokens).all() and place.start % LENGTH == 0
        before = tokenizer.decode(documents[place.file][: place.start + 1])
        assert place.line == row.line == 1 + before.count("\n")


def test_a_sample_is_drawn_before_anything_is_scored_and_changes_no_count(folder):
    _, _, whole = made(folder)
    _, _, some = made(folder, n_paragraphs=40)
    pd.testing.assert_frame_equal(some.training_stream, whole.training_stream)
    assert (~some.paragraphs["held_out"]).sum() == 40
    known = whole.paragraphs.assign(key=whole.paragraphs["tokens"].map(tuple)).set_index("key")
    known = known.loc[some.paragraphs["tokens"].map(tuple)]
    columns = ["count", "whole_count", "near_count", "longest_run", "held_out", "file", "line"]
    assert (known[columns].to_numpy() == some.paragraphs[columns].to_numpy()).all()
