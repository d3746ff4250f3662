"""Own text at any alignment, and where it stands: overlapping windows find what others miss."""

import copy
import json
from functools import cache

import pytest
import torch
import yaml
from jobs import ROOT, STORED, jobs, scripts_here

from memloc.model import loading, pretrained
from memloc.tables import storage
from memloc.tables.schemas import schema_of

LENGTH, N_PREFIX, SHIFT = 24, 12, 5
BEFORE, AFTER = " of", "\n\n"  # tokens of the stored tokenizer, SHIFT and some times


def stored(name, folder=STORED):
    return storage.read(schema_of(name), folder / f"tables/{name}.parquet")


@pytest.fixture(scope="module")
def tokenizer():
    return pretrained.load_tokenizer(STORED / "model")


@pytest.fixture(scope="module")
def documents(tokenizer):
    """Paragraphs that the stored model recites, each within other text, if their tokens stay the same."""
    paragraphs = stored("paragraphs").merge(stored("scores"), on="id")
    found = []
    for row in paragraphs[paragraphs["em"] == LENGTH - N_PREFIX].itertuples():
        text = BEFORE * SHIFT + row.text + AFTER * 9
        if tokenizer(text)["input_ids"][SHIFT : SHIFT + LENGTH] == list(row.tokens):
            found.append(text)
    assert len(found) >= 3
    return found


@pytest.fixture(scope="module")
def run_with(documents, tmp_path_factory):
    """Results of a study of these documents with a stride; the first comes again in a file of its own."""
    folder = tmp_path_factory.mktemp("stride")
    (folder / "corpus.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in documents))
    (folder / "other.txt").write_text(documents[0])
    files = [str(folder / name) for name in ("corpus.jsonl", "other.txt")]
    config = {
        "study": "overlap",
        "paragraph": {"length": LENGTH, "prefix": N_PREFIX},
        "data": {"source": "text", "files": files},
        "model": {"source": "local", "folder": str(STORED / "model")},
        "filters": {"min_unique": 0, "keywords": []},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    planned = jobs(ROOT, str(folder / "config.yaml"), "recited")

    @cache
    def run(stride):
        results = folder / str(stride)
        results.mkdir()
        with scripts_here(results) as run_job:
            for script, snakemake in planned.values():
                job = copy.deepcopy(snakemake)
                if job.rule == "paragraphs":
                    job.params.settings["data"] |= {"stride": stride}
                run_job(script, job)
        return results / "results/overlap"

    return run


def hits(documents, tokenizer):
    """Windows at every offset that plain greedy choices recite: document and start."""
    model = loading.load_model(STORED / "model")
    for number, text in enumerate(documents):
        ids = torch.tensor(tokenizer(text)["input_ids"])
        for start in range(len(ids) - LENGTH + 1):
            window = ids[start : start + LENGTH]
            with torch.no_grad():
                choices = model(window[None]).logits[0, N_PREFIX - 1 : -1].argmax(dim=-1)
            if torch.equal(choices, window[N_PREFIX:]):
                yield number, start


def test_stride_1_finds_what_the_grid_misses_where_it_stands(run_with, documents, tokenizer):
    grid, every = (stored("recited", run_with(stride)).query("n_edits == 0") for stride in (None, 1))
    expected = list(hits([*documents, documents[0]], tokenizer))
    assert {(number, SHIFT) for number in range(len(documents))} <= set(expected)
    assert len(grid) == sum(start % LENGTH == 0 for _, start in expected) < len(documents)
    assert (grid["start"] % LENGTH == 0).all()
    place = every["file"].str.endswith("other.txt") * len(documents) + every["document"]
    found = every.assign(document=place)
    assert found["n_windows"].sum() == len(expected)
    for number, start in expected:
        own = found[
            (found["document"] == number) & (found["start"] <= start) & (found["end"] >= start + LENGTH)
        ]
        assert len(own) == 1
    texts = [tokenizer(text)["input_ids"] for text in [*documents, documents[0]]]
    for row in found.itertuples():
        assert row.text == tokenizer.decode(texts[row.document][row.start : row.end])
        assert row.line == tokenizer.decode(texts[row.document][: row.start + 1]).count("\n") + 1
        assert row.verbatim_run >= LENGTH - N_PREFIX


def test_every_window_has_a_place_and_one_of_two_documents_has_two(run_with):
    found = run_with(2)
    seen, places = stored("paragraphs", found), stored("places", found)
    assert set(places["id"]) == set(seen["id"]) and (places["start"] % 2 == 0).all()
    twice = places["id"].duplicated(keep=False)
    assert set(places["file"][twice].str.rpartition("/")[2]) == {"corpus.jsonl", "other.txt"}
    assert (seen.set_index("id")["count"][places["id"][twice]] >= 2).all()


def test_places_of_documents_with_counts_are_those_that_begin_with_a_paragraph(tokenizer, tmp_path):
    """Some begin alike, some are too short, and a control is left out for what it shares with another."""
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
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    with scripts_here(tmp_path) as run_job:
        run_job(*jobs(ROOT, str(tmp_path / "config.yaml"), "dropped_paragraphs")["paragraphs"])
    found = (stored(name, tmp_path / "results/counted") for name in ("places", "paragraphs"))
    places = next(found).merge(next(found), on="id")
    assert len(places) == 6 and set(places["start"]) == {0}
    for row in places.itertuples():
        text, _ = rows[[*map(str, files)].index(row.file)][row.document]
        assert tokenizer(text)["input_ids"][:LENGTH] == list(row.tokens)
    counts = places.groupby("id")["count"].agg(["size", "first"]).to_numpy().tolist()
    assert counts == [[2, 3], [2, 0], [1, 1], [1, 4]]
