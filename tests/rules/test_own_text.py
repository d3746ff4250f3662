"""Own text: what the model recites of it from any start, and where it stands."""

import copy
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml
from jobs import ROOT, STORED, jobs, made, scripts_here

from memloc.model import pretrained
from memloc.model.pretrained import read_model
from read_tables import read

LENGTH, N_PREFIX, SHIFT = 24, 12, 5
BEFORE, AFTER = " of", "\n\n"  # tokens of the stored tokenizer, SHIFT and some times


@pytest.fixture(scope="module")
def tokenizer():
    return pretrained.load_tokenizer(STORED / "model")


@pytest.fixture(scope="module")
def documents(tokenizer):
    """Paragraphs that the stored model recites, each within other text, if their tokens stay the same."""
    paragraphs = read(STORED, "paragraphs").merge(read(STORED, "scores"), on="id")
    found = []
    for row in paragraphs[paragraphs["em"] == LENGTH - N_PREFIX].itertuples():
        text = BEFORE * SHIFT + row.text + AFTER * 9
        if tokenizer(text)["input_ids"][SHIFT : SHIFT + LENGTH] == list(row.tokens):
            found.append(text)
    assert len(found) >= 3
    return found


@pytest.fixture(scope="module")
def results(documents, tmp_path_factory):
    """Results of a study of these documents; the first comes again in a file of its own, and as unseen."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "corpus.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in documents))
    (folder / "other.txt").write_bytes(f"\u00e9\r\n{documents[0]}".encode("latin-1"))
    (folder / "unseen.txt").write_text(BEFORE * 40 + documents[0])
    (folder / "long_enough.txt").write_text(BEFORE * LENGTH)
    files = [str(folder / name) for name in ("corpus.jsonl", "other.txt", "long_enough.txt")]
    unseen = [str(folder / "unseen.txt")]
    config = {
        "study": "own",
        "paragraph": {"length": LENGTH, "prefix": N_PREFIX},
        "data": {"source": "text", "files": files, "unseen": unseen, "encoding": "latin-1"},
        "model": {"source": "local", "folder": str(STORED / "model")},
        "filters": {"min_unique": 0, "keywords": []},
    }
    return made(folder, config, "recited")


def hits(texts, tokenizer):
    """Tokens that plain greedy choices recite, after windows at every start: document and place."""
    model = read_model(STORED / "model")
    for number, text in enumerate(texts):
        ids = torch.tensor(tokenizer(text)["input_ids"])
        for start in range(len(ids) - LENGTH + 1):
            window = ids[start : start + LENGTH]
            with torch.no_grad():
                choices = model(window[None]).logits[0, N_PREFIX - 1 : -1].argmax(dim=-1)
            if torch.equal(choices, window[N_PREFIX:]):
                yield from ((number, at) for at in range(start + N_PREFIX, start + LENGTH))


def test_passages_are_found_where_they_stand(results, documents, tokenizer):
    texts = [*documents, f"\u00e9\n{documents[0]}", BEFORE * 40 + documents[0]]
    found, tokens = read(results, "recited"), [tokenizer(text)["input_ids"] for text in texts]
    later = {"other.txt": len(documents), "unseen.txt": len(documents) + 1}
    number = found["file"].map(lambda file: later.get(Path(file).name, 0)) + found["document"]
    expected = set(hits(texts, tokenizer))
    assert {
        (place, at) for place in range(len(documents)) for at in range(SHIFT + N_PREFIX, SHIFT + LENGTH)
    } <= expected
    spans = zip(number, found["start"], found["end"], strict=True)
    assert {(place, at) for place, start, end in spans for at in range(start, end)} == expected
    for place, row in zip(number, found.itertuples(), strict=True):
        text, own = texts[place], tokens[place]
        assert row.continuation == text[row.first_character : row.end_character]
        assert row.continuation == tokenizer.decode(own[row.start : row.end])
        assert row.prefix == tokenizer.decode(own[row.start - N_PREFIX : row.start])
        assert row.line == text.count("\n", 0, row.first_character) + 1
        first = own[row.start : row.start + LENGTH - N_PREFIX]
        ends = (ids[at : at + len(first)] == first for ids in tokens for at in range(len(ids)))
        assert row.count == sum(ends) and LENGTH - N_PREFIX <= row.at_once <= row.end - row.start
    assert (found["unseen"] == (number == len(documents) + 1)).all() and found["unseen"].any()


def test_the_share_is_of_tokens_behind_a_prefix_seen_and_unseen_apart(results, documents, tokenizer):
    found, texts = read(results, "recited"), read(results, "texts").set_index("unseen")
    assert texts["n_files"].tolist() == [3, 1] and texts["n_documents"].tolist() == [len(documents) + 2, 1]
    n_tokens = len(tokenizer(BEFORE * 40 + documents[0])["input_ids"])
    assert texts["n_tokens"][True] == n_tokens - N_PREFIX and texts["n_short"].tolist() == [0, 0]
    for unseen, own in found.groupby("unseen"):
        assert texts["n_recited"][unseen] == (own["end"] - own["start"]).sum()


def test_a_scan_that_was_ended_goes_on_with_what_it_knew(results, monkeypatch):
    folder, expected = results.parents[1], read(results, "recited")
    assert not [*results.glob("scan/*")]
    script, asked = jobs(ROOT, str(folder / "config.yaml"), "recited")["passages"]
    other = [copy.deepcopy(asked) for _ in range(3)]
    other[0].params.settings["paragraph"]["prefix"] -= 1
    other[1].params.settings["scores"]["margin_threshold"] = 1
    other[2].params.settings["loading"]["dtype"] = "bfloat16"
    with scripts_here(folder) as run_job:
        for n, each in enumerate([*other, asked], start=1):
            with monkeypatch.context() as patch, pytest.raises(TypeError):
                patch.setattr("memloc.scoring.passages.covered", None)
                run_job(script, each)
            assert len([*results.glob("scan/*")]) == n, "what is known under other settings is another file"
        monkeypatch.setattr("memloc.scoring.scan._below", None)
        run_job(script, asked)
    assert "goes on from there" in (results / "logs/passages.log").read_text()
    pd.testing.assert_frame_equal(read(results, "recited"), expected)


def test_a_token_before_every_text_hides_no_keyword_from_the_filter_of_the_authors(results, tmp_path):
    """Also where the model's tokenizer adds it."""
    given = yaml.safe_load((results.parents[1] / "config.yaml").read_text()) | {"reference": ["filters"]}
    given["filters"]["keywords"] = [BEFORE.strip()]
    plain = read(made(tmp_path, given, "recited", chosen="passages".__eq__), "recited")
    shutil.copytree(STORED / "model", tmp_path / "model")
    file = tmp_path / "model/tokenizer.json"
    settings, token = json.loads(file.read_text()), "<|endoftext|>"
    settings["post_processor"]["single"].insert(0, {"SpecialToken": {"id": token, "type_id": 0}})
    settings["post_processor"]["special_tokens"] = {token: {"id": token, "ids": [0], "tokens": [token]}}
    file.write_text(json.dumps(settings))
    assert pretrained.load_tokenizer(file.parent).encode("a")[0] == 0
    given["model"]["folder"] = str(file.parent)
    given["study"] = "before"
    found = read(made(tmp_path, given, "recited", chosen="passages".__eq__), "recited")
    assert len(found) < len(read(results, "recited"))
    pd.testing.assert_frame_equal(found, plain)


def test_places_of_documents_with_counts_are_those_that_begin_with_a_paragraph(tokenizer, tmp_path):
    """Some begin alike, some are too short, and an unseen one is left out for what it shares with another."""
    words = [" ".join(f"{letter}{number}" for number in range(30)) for letter in "abcdef"]
    rows = [
        [(words[0], 2), (words[1], 0), ("short", 3), (words[0] + "!", 1)],
        [(words[2], 1), (words[1] + "?", 0), (words[3], 0), (words[4] + words[3], 4)],
    ]
    files = [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
    for file, some in zip(files, rows, strict=True):
        file.write_text("".join(json.dumps({"text": text, "n": count}) + "\n" for text, count in some))
    config = {
        "study": "counted",
        "paragraph": {"length": LENGTH, "prefix": N_PREFIX},
        "data": {"source": "text", "files": [*map(str, files)], "counts": "n"},
        "model": {"source": "local", "folder": str(STORED / "model")},
    }
    results = made(tmp_path, config, "dropped_paragraphs", chosen="paragraphs".__eq__)
    places = read(results, "places").merge(read(results, "paragraphs")[["id", "count", "tokens"]], on="id")
    assert len(places) == 6 and set(places["start"]) == {0}
    for row in places.itertuples():
        text, _ = rows[[*map(str, files)].index(row.file)][row.document]
        assert tokenizer(text)["input_ids"][:LENGTH] == list(row.tokens)
    counts = places.groupby("id")["count"].agg(["size", "first"]).to_numpy().tolist()
    assert counts == [[2, 3], [2, 0], [1, 1], [1, 4]]
