"""Own text: reading files, cutting paragraphs, counting repeats; documents that come with their counts."""

import numpy as np
import pytest
from plain_texts import places_of
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from memloc.data import own_text
from memloc.data.places import numbered, quoted


def cut(tmp_path, texts, length):
    """Distinct paragraphs, their repeats, and document, start and paragraph of every place."""
    with (tmp_path / "tokens").open("w+b") as file:
        every, begins = own_text.write_stream(texts, length, file)
        stream, number = own_text.distinct(every)
        document = np.searchsorted(begins, every.starts, side="right") - 1
        places = np.stack([document, every.starts - begins[document], number], axis=1)
        return stream.windows(stream.starts), own_text.count_repeats(stream), places.tolist()


def slow_cut(texts, length):
    """Distinct paragraphs in the order of the text, and their places."""
    numbers, places = {}, []
    for document, ids in enumerate(texts):
        for i in range(0, len(ids) - length + 1, length):
            number = numbers.setdefault(tuple(ids[i : i + length]), len(numbers))
            places.append([document, i, number])
    return list(numbers), places


@pytest.mark.parametrize("block", [1, 7, 2**18])
@pytest.mark.parametrize("length", [1, 2, 4, 9])
def test_paragraphs_and_repeats_at_every_offset(tmp_path, monkeypatch, block, length):
    monkeypatch.setattr(own_text, "BLOCK", block)
    random = np.random.default_rng(0)
    texts = [random.integers(0, 3, size=size).tolist() for size in (40, 7, 2, 0, 63)]
    texts.append([9] + texts[0])  # the same document, shifted by one
    found, counts, places = cut(tmp_path, texts, length)
    assert (list(map(tuple, found.tolist())), places) == slow_cut(texts, length)
    assert counts.tolist() == [sum(len(places_of(row, ids)) for ids in texts) for row in found.tolist()]
    assert counts.max() > 1
    with (tmp_path / "again").open("w+b") as file:
        every, _ = own_text.write_stream(texts, length, file)
        assert own_text.count_repeats(every).tolist() == [counts[number] for *_, number in places]


def test_paragraphs_are_the_first_tokens_and_counts_of_equal_ones_add_up():
    random = np.random.default_rng(0)
    documents = [
        (random.integers(2, size=random.integers(3, 9)).tolist(), int(random.integers(4))) for _ in "x" * 60
    ]
    expected = {}
    for ids, count in documents:
        if len(ids) >= 5:
            expected.setdefault(tuple(ids[:5]), []).append(count)
    tokens, counts, begins_with = own_text.first_paragraphs(documents, 5)
    assert [tuple(row) for row in tokens.tolist()] == list(expected)
    assert counts.tolist() == [sum(found) for found in expected.values()]
    assert len(tokens) < sum(len(ids) >= 5 for ids, _ in documents) and 0 in counts
    heads = [tuple(ids[:5]) for ids, _ in documents]
    assert begins_with.tolist() == [[*expected].index(head) if len(head) == 5 else -1 for head in heads]
    assert tokens.dtype == counts.dtype == np.int64


def test_a_text_without_a_paragraph_is_an_error(tmp_path):
    said = "no document has 4 tokens: give longer text, or ask for shorter paragraphs"
    with pytest.raises(own_text.InputError, match=said):
        cut(tmp_path, [[1, 2, 3]], 4)
    with pytest.raises(own_text.InputError, match=said):
        own_text.first_paragraphs([([1, 2], 3)], 4)


@pytest.mark.parametrize("n_characters", [1, 4, 2**20])
def test_documents_become_ids_in_order_without_special_tokens(monkeypatch, n_characters):
    monkeypatch.setattr(own_text, "N_CHARACTERS", n_characters)
    tokenizer = Tokenizer(models.WordLevel({"<s>": 0, "a": 1, "b": 2, "c": 3}, unk_token="c"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", unk_token="c")
    assert fast("a b")["input_ids"] == [0, 1, 2]
    texts = iter(["a b", "b", "", "a a a a a"])
    told: list[int] = []
    assert [[*ids] for ids in own_text.tokenised(texts, fast, told.append)] == [[1, 2], [2], [], [1] * 5]
    assert told == sorted(told) and len("a bb") <= told[-1] < len("a bba a a a a"), "characters that are done"


@pytest.mark.parametrize(("mark", "begins"), [("", [0, 5, 11, 17]), ("_", [0])])
def test_a_long_text_is_encoded_in_parts_where_that_changes_no_token(monkeypatch, mark, begins):
    """A line end belongs to a letter before it, and a mark may stand before every text."""
    tokenizer = Tokenizer(
        models.WordLevel({"a": 1, "b": 2, "\n": 3, "b\n": 4, "_a": 5, "c": 0}, unk_token="c")
    )
    tokenizer.normalizer = normalizers.Prepend(mark) if mark else None
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"b\s|\s+|_?\w"), "removed", invert=True)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer)
    text = "ab\nba\n" * 3 + "ab"
    whole = fast(text)
    monkeypatch.setattr(own_text, "N_CHARACTERS", 1)
    parts = [*own_text.encoded(text, fast)]
    assert [begin for begin, _ in parts] == begins
    assert np.concatenate([part["input_ids"] for _, part in parts]).tolist() == whole["input_ids"]
    edges = np.array([[0, 3, 6], [4, 5, 12], [2, 9, len(whole["input_ids"])]])
    spans = [[whole.token_to_chars(edge - 1).end if edge else 0 for edge in own] for own in edges.tolist()]
    found = quoted([text], fast, np.zeros(3, int), edges)
    assert found[["first_character", "end_character"]].to_numpy().tolist() == [own[1:] for own in spans]
    assert found["prefix"].tolist() == [text[first:end] for first, end, _ in spans]


def test_documents_are_numbered_in_their_files():
    found = numbered(["b", "b", "a", "b", "a"])
    assert found.to_numpy().tolist() == [["b", 0], ["b", 1], ["a", 0], ["b", 2], ["a", 1]]
