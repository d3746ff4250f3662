"""Documents of every kind of file, compressed ones too; a file that cannot be used says where and why."""

import gzip
import json

import pandas as pd
import pyarrow
import pytest

from memloc.data.text_files import counted_documents, documents
from memloc.run.errors import InputError

WORDS = [f"word {number}, caf\u00e9" for number in range(3000)]
ROWS = "".join(json.dumps({"text": word}, ensure_ascii=False) + "\n" for word in WORDS).encode()


def zst(content):
    target = pyarrow.BufferOutputStream()
    with pyarrow.CompressedOutputStream(target, "zstd") as stream:
        stream.write(content)
    return target.getvalue().to_pybytes()


WRONG_CHECKSUM = gzip.compress(ROWS)[:-6] + b"\0" * 6
COMPRESS = {"": bytes, ".gz": gzip.compress, ".zst": zst}


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.json.gz"])
@pytest.mark.parametrize("n_parts", [1, 2])
def test_rows_of_jsonl_come_whatever_it_is_compressed_with(tmp_path, name, n_parts):
    """Archives that were written one after the other are one: so are some of those of the Pile."""
    middle = ROWS.index(b"\n", len(ROWS) // 2) + 1
    parts = [ROWS] if n_parts == 1 else [ROWS[:middle], ROWS[middle:]]
    file = tmp_path / name
    file.write_bytes(b"".join(map(COMPRESS[file.suffix.replace(".jsonl", "")], parts)))
    assert list(documents(file, "text")) == WORDS


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_plain_text_is_one_document(tmp_path, ending):
    file = tmp_path / f"a.txt{ending}"
    file.write_bytes(COMPRESS[ending]("one\r\ntwo\n\nthr\u00e9e".encode()))
    assert list(documents(file, "text")) == ["one\ntwo\n\nthr\u00e9e"]


def test_rows_of_parquet_are_its_column(tmp_path):
    pd.DataFrame({"text": ["three", None, "four", ""]}).to_parquet(tmp_path / "c.parquet")
    assert list(documents(tmp_path / "c.parquet", "text")) == ["three", "four"]


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_damaged_archive_is_named_with_its_line(tmp_path, ending):
    file = tmp_path / f"a.jsonl{ending}"
    whole = COMPRESS[ending](ROWS)
    file.write_bytes(whole[: len(whole) * 2 // 3])
    found = []
    with pytest.raises(InputError, match=r"a\.jsonl\.\w+, line \d+: damaged from here on") as error:
        found.extend(documents(file, "text"))
    assert found == WORDS[: len(found)] and f"line {len(found) + 1}:" in str(error.value)
    assert found or ending == ".zst", "nothing reads a whole archive before the first row"


def test_a_damaged_parquet_file_is_named(tmp_path):
    pd.DataFrame({"text": WORDS}).to_parquet(tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    for content in (whole[:-50], b"no table"):
        (tmp_path / "a.parquet").write_bytes(content)
        with pytest.raises(InputError, match=r"a\.parquet, row 1: damaged"):
            list(documents(tmp_path / "a.parquet", "text"))


@pytest.mark.parametrize(
    ("name", "content", "counts", "said"),
    [
        ("b.jsonl", b'{"text": "x"}\n{"body": "x"}', None, "line 2: no text in 'text'"),
        ("c.jsonl", b"[1]", None, "line 1: no text"),
        ("d.jsonl", b"{", None, "line 1: not JSON"),
        ("e.txt", "caf\u00e9".encode("latin-1"), None, "not utf-8 text"),
        ("f.jsonl.gz", WRONG_CHECKSUM, None, "damaged"),
        ("g.parquet", {"body": ["x"]}, None, r"no column 'text', only body$"),
        ("h.parquet", {"text": ["x"]}, "n", r"no column 'n', only text$"),
        ("i.txt", b"words", "n", r"plain text has no data\.counts"),
        (
            "j.jsonl",
            b'{"text": "a", "n": 1}\n{"text": "b"}',
            "n",
            "line 2: no number of 0 or more in 'n'; set",
        ),
        ("k.jsonl", b'{"text": "a", "n": -1}', "n", "line 1: no number of 0 or more in 'n'"),
        ("l.jsonl", b'{"text": "a", "n": "3"}', "n", "line 1: no number of 0 or more in 'n'"),
        ("m.jsonl", b'{"text": "a", "n": true}', "n", "line 1: no number of 0 or more in 'n'"),
        ("n.jsonl", b'{"n": 1}', "n", "line 1: no text in 'text', the key"),
        ("o.jsonl", b"[1, 2]", "n", "line 1: no number of 0 or more"),
    ],
)
def test_files_that_cannot_be_used_say_why(tmp_path, name, content, counts, said):
    file = tmp_path / name
    pd.DataFrame(content).to_parquet(file) if isinstance(content, dict) else file.write_bytes(content)
    with pytest.raises(InputError, match=rf"{name}.*{said}"):
        list(counted_documents(file, "text", counts) if counts else documents(file, "text"))


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "parquet"])
def test_documents_come_with_their_counts(tmp_path, ending):
    file, counts = tmp_path / f"a.{ending}", [number % 5 for number in range(len(WORDS))]
    frame = pd.DataFrame({"passage": WORDS, "duplicates": counts})
    frame.to_parquet(file) if ending == "parquet" else frame.to_json(file, orient="records", lines=True)
    assert list(counted_documents(file, "passage", "duplicates")) == list(zip(WORDS, counts, strict=True))


def test_rows_of_parquet_are_numbered_from_one_on_however_many_are_held(tmp_path, monkeypatch):
    monkeypatch.setattr("memloc.data.text_files.N_ROWS", 2)
    frame = pd.DataFrame({"text": ["a", None, "b", "c", "d"], "n": [1, 1, 0, 1, -1]})
    frame.to_parquet(tmp_path / "a.parquet")
    found = []
    with pytest.raises(InputError, match=r"a\.parquet, row 5: no number of 0 or more in 'n'"):
        found.extend(counted_documents(tmp_path / "a.parquet", "text", "n"))
    assert found == [("a", 1), ("b", 0), ("c", 1)]
