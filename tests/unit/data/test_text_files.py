"""Files, globs and folders that the settings name."""

import pytest

from memloc.data.text_files import N_BYTES, text_files
from memloc.run.errors import InputError

FILES = ("a.txt", "b.jsonl.zst", "data/train-0.parquet", "data/train-1.parquet", "data/test.parquet")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    for name in (*FILES, "README.md", "data/.cache/part.lock"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    for name in ("src/a.py", "src/deep/b.c", "src/.git/config", "src/.env", "src/pictures/c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("\0x" if name.endswith("png") else "x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["b.jsonl.zst", "a.txt"], ["b.jsonl.zst", "a.txt"]),
        (["data"], ["data/test.parquet", "data/train-0.parquet", "data/train-1.parquet"]),
        (["data/train-*.parquet"], ["data/train-0.parquet", "data/train-1.parquet"]),
        (["**/*.parquet", "data", "a.txt"], sorted(FILES[2:]) + ["a.txt"]),
        (["."], sorted(FILES)),
        (["src"], ["src/a.py", "src/deep/b.c"]),  # neither what is hidden nor what is no text
        (["*"], ["README.md", "a.txt", "b.jsonl.zst"]),
        (["https://a.b/c.jsonl.gz", "a.txt"], ["https://a.b/c.jsonl.gz", "a.txt"]),
        ([], []),
    ],
)
def test_entries_give_their_files_once_and_in_order(given, expected):
    assert text_files(given, "data.files") == expected


@pytest.mark.parametrize(
    "ending", [".txt", ".txt.gz", ".jsonl", ".jsonl.gz", ".jsonl.zst", ".json.gz", ".parquet"]
)
def test_every_kind_of_text_of_a_folder_is_taken(folder, ending):
    (folder / "data/.cache" / f"x{ending}").write_text("x")
    assert text_files(["data/.cache"], "data.files") == [f"data/.cache/x{ending}"]
    assert text_files([f"data/.cache/x{ending}"], "data.files") == [f"data/.cache/x{ending}"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("c.txt", "data.files: c.txt: no such file or folder"),
        ("*.gz", r"data.files: \*.gz: no file"),
        ("dat*", r"data.files: dat\*: no file"),
        ("src/pictures", "data.files: src/pictures: no file of text"),
        ("empty.txt", "data.files: empty.txt: empty; give text"),
        ("empty", "data.files: empty: empty; give text"),
    ],
)
def test_an_entry_without_text_is_an_error(entry, said, folder):
    (folder / "empty").mkdir()
    for name in ("empty.txt", "empty/a.txt"):
        (folder / name).touch()
    with pytest.raises(InputError, match=said):
        text_files([entry], "data.files")


def test_plain_text_in_another_encoding_is_named_at_once(folder):
    (folder / "a.txt").write_text("caf\u00e9", encoding="latin-1")
    assert text_files(["a.txt"], "data.files", "latin-1") == ["a.txt"]
    for given in ("a.txt", "."):
        with pytest.raises(InputError, match=r"a\.txt: not utf-8 text .*; convert it, or name its encoding"):
            text_files([given], "data.files")


def test_a_character_that_is_cut_is_text_and_packed_text_is_not_looked_at(folder):
    (folder / "a.txt").write_text("x" * (N_BYTES - 1) + "\u00e9")
    (folder / "a.txt.gz").write_bytes(b"\x1f\x8b\xff")
    assert text_files(["a.txt", "a.txt.gz"], "data.files") == ["a.txt", "a.txt.gz"]
