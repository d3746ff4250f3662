"""Drawn data: docstrings of installed packages; the repeats of paragraphs in the stream are exact."""

import numpy as np
import pandas as pd
import pytest
from plain_texts import places_of

from memloc.data import drawn
from memloc.data.drawn import Docstring
from memloc.data.overlap import RUN
from memloc.data.tokenizer import train_tokenizer
from memloc.run.errors import InputError
from memloc.settings.data import DrawnData
from memloc.settings.paragraph import Paragraph

LONG = "A sentence that explains what happens here and why it does so. " * 4
SETTINGS = {"source": "drawn", "n_repeated": 6, "n_once": 20, "n_unseen": 0}
SETTINGS |= {"min_repeats": 3, "max_repeats": 12}
CONTEXT = 20


@pytest.fixture(scope="module")
def texts():
    """Texts of different words."""
    random = np.random.default_rng(0)
    words = ["".join(random.choice(list("abcdefgh"), size=5)) for _ in range(400)]
    return [" ".join(random.choice(words, size=40)) for _ in range(60)]


def docstrings(texts):
    """The texts in modules of two packages, one text in four in the first, two texts in a module."""
    return [Docstring(text, f"{'bbba'[i % 4]}.m{i % 32}") for i, text in enumerate(texts)]


def stream_of(texts, tokenizer, seed=0, length=8, n_prefix=3, **changes):
    paragraph, data = Paragraph(length=length, prefix=n_prefix), DrawnData(**SETTINGS | changes)
    return drawn.make_stream(docstrings(texts), tokenizer, paragraph, data, max(CONTEXT, length), seed)


@pytest.fixture(scope="module")
def tokenizer(texts):
    return train_tokenizer(texts, 300)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package that fails when it is imported."""
    files = {
        "__init__.py": f'"""module {LONG}"""\nraise RuntimeError("imported")\n',
        "b.py": f'class B:\n    """class {LONG}"""\n\n    def f(self):\n        """method {LONG}"""\n',
        "a/deep.py": f'async def g():\n    """async {LONG}"""\n\ndef h():\n    """short"""\n',
        "a/again.py": f'def again():\n    """async {LONG}"""\n',
        "a/not_a_docstring.py": f'x = 1\n"""loose {LONG}"""\n',
        "broken.py": "def broken(:\n",
        "c.py": f'"""{"x" * 200}"""\ndef f():\n    """{"y" * 201}"""\n',
        "binary.py": "\0",
    }
    for name, text in files.items():
        path = tmp_path / "documented" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "documented" / "latin.py").write_bytes(
        b"# -*- coding: latin-1 -*-\ndef f():\n    '''caf\xe9 " + LONG.encode() + b"'''\n"
    )
    (tmp_path / "single.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    return "documented"


def test_docstrings_are_read_without_importing(package):
    found = drawn.docstrings(package)
    words = ["module", "async", "class", "method", "y" * 201, "caf\u00e9"]  # of more than 200 characters
    assert [docstring.text.split()[0] for docstring in found] == words
    modules = ["", ".a.again", ".b", ".b", ".c", ".latin"]
    assert [docstring.module for docstring in found] == [package + module for module in modules]


@pytest.mark.parametrize("name", ["not_installed_anywhere", "single"])
def test_a_missing_package_is_named(package, name):
    with pytest.raises(InputError, match=f"data.packages: {name} is no installed package"):
        drawn.docstrings(name)


def test_paragraphs_are_cut_without_overlap_and_are_different(tokenizer, texts):
    given = [texts[0].replace(" ", "\n", 20), "short", texts[1]]
    given.append(given[0])
    found, begins = drawn.cut_paragraphs(given, tokenizer, 8)
    expected = []
    for number in (0, 2):
        ids = tokenizer.encode(given[number])
        for start in range(0, len(ids) // 8 * 8, 8):
            line = tokenizer.decode(ids[: start + 1]).count("\n") + 1
            expected.append((ids[start : start + 8], number, start, line))
    rows = zip(found.tolist(), *(begins[name] for name in ("text", "start", "line")), strict=True)
    assert list(rows) == expected and begins["line"].nunique() > 2


def test_repeats_are_log_uniform_within_their_limits():
    repeats = drawn.draw_repeats(20_000, 7, 4, 128, np.random.default_rng(0))
    repeated, once = repeats[:20_000], repeats[20_000:]
    assert once.tolist() == [1] * 7
    assert repeated.min() == 4 and repeated.max() == 128
    shares = np.histogram(repeated, [4, 8, 16, 32, 64, 129])[0] / len(repeated)
    assert np.allclose(shares, 0.2, atol=0.015)


def test_counts_are_exactly_those_of_the_stream(tokenizer, texts):
    paragraphs, _, occurrences, stream = stream_of(texts, tokenizer)
    whole_counts = paragraphs["whole_count"]
    assert sorted(whole_counts)[:20] == [1] * 20 and (whole_counts >= 3).sum() == 6
    rows = rows_of(paragraphs, stream)
    text = sum(rows, [])
    for row in paragraphs.itertuples():
        assert sum(len(places_of(row.tokens, window)) for window in rows) == row.whole_count
        assert (stream["id"] == row.id).sum() == row.count == row.whole_count + row.cut_count
        for place in occurrences.loc[occurrences["id"] == row.id, "place"]:
            assert text[place : place + 8] == list(row.tokens)
    assert paragraphs["cut_count"].sum() > 10


def test_copies_are_replaced_as_often_as_asked_and_one_whole_copy_stays(tokenizer, texts):
    plain, made = (stream_of(texts, tokenizer, length=20, n_prefix=10, replaced=r) for r in ([], [10, 50]))
    paragraphs, stream = made.paragraphs.set_index("id"), made.training_stream
    assert stream["id"].tolist() == plain.training_stream["id"].tolist(), "the total changed"
    assert plain.paragraphs["tokens"].map(tuple).tolist() == paragraphs["tokens"].map(tuple).tolist()
    own = np.stack(paragraphs["tokens"].loc[stream["id"]])
    replaced = pd.Series((own != np.stack(stream["tokens"])).sum(axis=1)).groupby(stream["id"].to_numpy())
    for id, n in replaced:
        asked = [0, 2, 10][id % 3] if id < SETTINGS["n_repeated"] else 0
        assert sorted(set(n)) == sorted({0, asked}), id
        assert (n == 0).sum() == paragraphs["count"][id] == (len(n) if not asked else 1)
    assert (paragraphs["whole_count"] >= 1).all()
    changed = [tuple(row) for row in stream["tokens"][(replaced.transform("max") > 0).to_numpy()]]
    assert len(set(changed)) == len(changed), "each copy has its own tokens"
    assert len(made.occurrences) == paragraphs["count"].sum()


def rows_of(paragraphs, stream):
    """Windows of the text, written out."""
    tokens = paragraphs.set_index("id")["tokens"].loc[stream["id"]]
    text = [token for row in tokens for token in (*row, 0)]
    return [text[at : at + CONTEXT] for at in range(0, len(text), CONTEXT)]


def shared_passages():
    """Texts of one passage each between words of their own, whose length moves the paragraphs' borders."""
    random = np.random.default_rng(1)
    words = ["".join(random.choice(list("abcdefgh"), size=5)) for _ in range(400)]
    passage = " ".join(words[:12])
    return [" ".join([*random.choice(words[12:], size=8 + i % 5), passage, *words[12:30]]) for i in range(40)]


def test_continuations_are_counted_at_every_offset_of_the_stream(tokenizer):
    paragraphs, _, _, stream = stream_of(shared_passages(), tokenizer, n_repeated=60)
    rows = rows_of(paragraphs, stream)
    for row in paragraphs.itertuples():
        assert row.continuation_count == sum(len(places_of(row.tokens[3:], window)) for window in rows)
    assert (paragraphs["continuation_count"] > paragraphs["count"]).any()


def test_no_other_paragraph_holds_the_continuation_of_one_that_occurs_once(tokenizer):
    texts = shared_passages()
    pool, _ = drawn.cut_paragraphs(texts, tokenizer, 8)
    paragraphs, *_ = stream_of(texts, tokenizer)
    once = paragraphs[paragraphs["whole_count"] == 1]
    # A window may cut a prefix from its continuation, which is extra.
    extra = once["continuation_count"] - 1
    assert len(once) == 20 and extra.between(0, once["cut_count"]).all()
    for tokens in once["tokens"]:
        assert sum((row[at : at + 5] == tokens[3:]).all() for row in pool for at in range(4)) == 1


def test_too_little_text_is_explained(tokenizer, texts):
    with pytest.raises(ValueError, match=r"holds \d+ paragraphs, .* 6 \+ 1000 are wanted: lower data.n_once"):
        stream_of(texts[:2], tokenizer, n_once=1000)


def unseen_of(texts, tokenizer, **changes):
    """A stream of paragraphs of 30 tokens with 15 unseen ones."""
    options = {"length": 30, "n_prefix": 10, "n_repeated": 5, "n_once": 20, "n_unseen": 15}
    return stream_of(texts, tokenizer, **options | changes)


def runs(tokens, n):
    return {tuple(tokens[at : at + n]) for at in range(len(tokens) - n + 1)}


@pytest.mark.parametrize(
    ("length", "n_prefix", "run", "n_repeated", "n_unseen"), [(30, 10, RUN, 2, 4), (8, 3, 5, 60, 40)]
)
def test_unseen_paragraphs_share_no_run_of_13_tokens_with_the_stream(
    tokenizer, length, n_prefix, run, n_repeated, n_unseen
):
    """Nor, of short paragraphs, one as long as the continuation."""
    texts = shared_passages()  # each has a passage of all others
    sizes = {"n_unseen": n_unseen, "n_once": 10, "n_repeated": n_repeated}
    paragraphs, _, _, stream = unseen_of(texts, tokenizer, length=length, n_prefix=n_prefix, **sizes)
    assert paragraphs["unseen"].tolist() == [False] * (10 + n_repeated) + [True] * n_unseen
    rows = paragraphs.set_index("id")["tokens"].loc[stream["id"]]
    seen = set().union(*(runs(tokens, run) for tokens in rows))
    unseen = paragraphs[paragraphs["unseen"]]
    assert not any(runs(tokens, run) & seen for tokens in unseen["tokens"])
    assert (unseen[["count", "continuation_count"]] == 0).all(axis=None)
    pool, _ = drawn.cut_paragraphs(texts, tokenizer, length)
    assert sum(bool(runs(tokens, run) & seen) for tokens in pool) > 30, "many others do"


def test_drawing_unseen_paragraphs_leaves_the_stream_and_seen_paragraphs_as_they_are(texts, tokenizer):
    with_unseen, _, _, stream = unseen_of(texts, tokenizer)
    without, _, _, same = unseen_of(texts, tokenizer, n_unseen=0)
    pd.testing.assert_frame_equal(stream, same)
    pd.testing.assert_frame_equal(with_unseen[:25], without)
    assert not set(stream["id"]) & set(with_unseen["id"][25:]) and len(with_unseen) == 40


def test_unseen_paragraphs_are_drawn_from_all_places():
    paragraphs = np.arange(100 * 20).reshape(100, 20)  # no token twice
    given = (paragraphs, np.array(["a"] * 100), np.arange(5), 30, 10)
    first, again, other = (drawn.choose_unseen(*given, np.random.default_rng(n)) for n in (0, 0, 1))
    assert first.tolist() == again.tolist() != other.tolist() and len(set(first)) == 30
    assert first.min() >= 5 and first.max() > 80


def test_too_few_unseen_paragraphs_are_explained(texts, tokenizer):
    with pytest.raises(
        ValueError, match=r"[ab] holds \d+ paragraphs that share no run .* lower data.n_unseen"
    ):
        unseen_of(texts, tokenizer, n_unseen=5000)
