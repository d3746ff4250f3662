"""The two files of the release become one frame; anything else is an error that names file and finding."""

import numpy as np
import pandas as pd
import pytest
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from memloc.data.release import read_release, retokenized
from memloc.run.errors import InputError

PROMPTS = np.arange(60, dtype=np.uint16).reshape(6, 10)
COUNTS = np.array([3, 0, 1, 70_000, 2, 5], dtype=np.uint32)


@pytest.fixture
def release(tmp_path):
    """Writes the files for paragraphs of 10 tokens and gives their folder."""

    def write(prompts=PROMPTS, counts=COUNTS):
        np.save(tmp_path / "prompts_10.npy", prompts, allow_pickle=True)
        np.save(tmp_path / "counts_10.npy", counts, allow_pickle=True)
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"prompts": PROMPTS[:, :9]},
            r"prompts_10\.npy: expected rows of 10 tokens, got whole numbers of shape \[6, 9\]",
        ),
        ({"prompts": PROMPTS[0]}, r"prompts_10\.npy: expected rows of 10 tokens, got .* of shape \[10\]"),
        (
            {"prompts": PROMPTS.astype(float)},
            r"prompts_10\.npy: expected whole numbers of 0 or more, got flo",
        ),
        ({"prompts": PROMPTS.astype(int) - 1}, r"prompts_10\.npy: expected whole numbers of 0 or more"),
        ({"counts": COUNTS[:5]}, r"counts_10\.npy: expected shape \[6\], got whole numbers of shape \[5\]"),
        ({"counts": COUNTS[:, None]}, r"counts_10\.npy: expected shape \[6\], got .* of shape \[6, 1\]"),
        ({"counts": COUNTS.astype(object)}, r"counts_10\.npy: damaged, or not plain numbers \(pickled"),
    ],
)
def test_wrong_content_is_named(release, wrong, message):
    with pytest.raises(InputError, match=message):
        read_release(release(**wrong), 10)


def test_missing_or_damaged_file_is_named(release):
    folder = release()
    (folder / "prompts_10.npy").write_bytes((folder / "prompts_10.npy").read_bytes()[:-7])
    with pytest.raises(InputError, match=r"prompts_10\.npy: damaged, or not plain numbers"):
        read_release(folder, 10)
    (folder / "prompts_10.npy").unlink()
    with pytest.raises(InputError, match=r"prompts_10\.npy: no such file"):
        read_release(folder, 10)


@pytest.fixture
def letters():
    """A tokenizer whose tokens are letters, a to z from 0 on; by itself, it puts one before each text."""
    alphabet = {letter: token for token, letter in enumerate([*"abcdefghijklmnopqrstuvwxyz ", "<s>"])}
    tokenizer = Tokenizer(models.WordLevel(alphabet, unk_token=" "))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), behavior="isolated")
    begin = alphabet["<s>"]
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", begin)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token=" ")


def test_retokenized_paragraphs_are_the_beginning_of_the_text(letters):
    """Left out: what failed to parse, what is no text, what is too short."""
    texts = ["abcdef", "ghij", "unparsed", "klm", "no text \ufffd", "zzzzz"]
    frame = pd.DataFrame({"id": range(6), "count": [7, 3, 0, 9, 5, 1], "tokens": [[0]] * 6, "text": texts})
    found = retokenized(frame, letters, length=4)
    assert found["id"].tolist() == [0, 1, 5] and found["count"].tolist() == [7, 3, 1]
    assert np.stack(found["tokens"]).tolist() == [[0, 1, 2, 3], [6, 7, 8, 9], [25, 25, 25, 25]]
    with pytest.raises(InputError, match="no published paragraph has 7 tokens.*raise data.retokenize"):
        retokenized(frame, letters, length=7)
