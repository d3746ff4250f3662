"""Text that holds no paragraph is refused, and named."""

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from memloc.data import documents
from memloc.run.errors import InputError


@pytest.fixture
def model(tmp_path):
    """A folder whose tokenizer gives a token a letter."""
    tokenizer = Tokenizer(models.WordLevel({"a": 0}, unk_token="a"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.enable_truncation(3)  # as some models' files say
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return str(tmp_path)


def require(folder, *texts, length=10):
    files = []
    for number, text in enumerate(texts):
        files.append(f"{folder}/{number}.txt")
        with open(files[-1], "w") as file:
            file.write(text)
    documents.require_paragraph(files, "text", folder, length)


def test_one_document_must_be_as_long_as_a_paragraph(model):
    require(model, "a" * 9, "a" * 10)
    with pytest.raises(InputError) as error:
        require(model, "a" * 9, "a" * 9)
    said = str(error.value)
    assert f"data.files: no document of {model}/0.txt, {model}/1.txt has 10 tokens" in said
    assert "paragraph.length lower" in said


def test_of_many_files_some_are_named(model):
    with pytest.raises(InputError, match=r"4\.txt \.\. has"):
        require(model, *["a"] * 7)


def test_a_long_text_is_left_to_its_job(model, monkeypatch):
    monkeypatch.setattr(documents, "MOST_CHARACTERS", 20)
    require(model, "a" * 9, "a" * 9, "a" * 9)


@pytest.mark.parametrize("content", (None, "{}"))
def test_without_a_tokenizer_that_can_be_read_the_job_decides(tmp_path, content):
    if content:
        (tmp_path / "tokenizer.json").write_text(content)
    require(str(tmp_path), "a")
