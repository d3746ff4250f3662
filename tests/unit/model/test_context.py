"""How long a text a model takes."""

import pytest

from memloc.model.context import most_positions, require_room, require_tokenizer
from memloc.run.errors import InputError


def test_positions_are_those_of_every_family(any_model, tmp_path):
    any_model.config.save_pretrained(tmp_path)
    assert most_positions(tmp_path) == any_model.config.max_position_embeddings == 64


def test_a_paragraph_longer_than_the_models_positions_is_refused(tiny_gpt2, tmp_path):
    tiny_gpt2.config.save_pretrained(tmp_path)
    require_room(tmp_path, 64)
    require_room(tmp_path / "none", 10**6)  # a model that is not there yet is not judged
    with pytest.raises(InputError, match="paragraphs have 65 tokens, but the model has 64 positions"):
        require_room(tmp_path, 65)


@pytest.mark.parametrize("name", ["tokenizer.json", "vocab.json", "tokenizer.model"])
def test_a_folder_without_a_tokenizer_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="no tokenizer .*save the model's tokenizer into the folder"):
        require_tokenizer(tmp_path)
    (tmp_path / name).touch()
    require_tokenizer(tmp_path)
