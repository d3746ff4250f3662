"""The table of families: what it says holds of the models, and nothing that lists families misses one."""

import pytest
import torch
from made_configs import study
from plain_hooks import PLACES
from transformers import AutoModelForCausalLM, CohereConfig, Gemma2Config, GraniteConfig

from memloc.model.families import FAMILIES
from memloc.model.model_card import describe
from memloc.model.pretrained import read_model
from memloc.planning.work import n_parameters
from memloc.run.errors import UserError
from tiny_models import LLAMA_LIKE, LLAMA_SHAPE, SPREAD, TINY

UNSUPPORTED = {
    "gemma2": Gemma2Config(head_dim=8, final_logit_softcapping=2.0, **LLAMA_SHAPE, **SPREAD),
    "cohere": CohereConfig(logit_scale=0.25, **LLAMA_SHAPE, **SPREAD),
    "granite": GraniteConfig(logits_scaling=4.0, **LLAMA_SHAPE, **SPREAD),
}


def alone(model, tokens):
    """The unembedding of the last hidden states, as analyses take it."""
    return model.get_output_embeddings()(model.base_model(tokens).last_hidden_state)


def test_every_family_has_a_tiny_model_and_plain_hooks():
    assert set(TINY | LLAMA_LIKE) == set(PLACES) == set(FAMILIES)
    assert len({row.title for row in FAMILIES.values()}) == len(FAMILIES)


def test_the_revision_is_the_commit_that_was_downloaded_not_the_branch(folder):
    (folder / "commit.txt").write_text("0123456789abcdef\n")
    assert describe(read_model(folder), folder, "lab/tiny", "main")["revision"] == "0123456789abcdef"


def test_logits_are_the_unembedding_of_the_last_hidden_states(any_model, tiny_tokens):
    with torch.no_grad():
        torch.testing.assert_close(alone(any_model, tiny_tokens), any_model(tiny_tokens).logits)


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_a_family_that_scales_or_caps_its_logits_is_refused(name, tiny_tokens, tmp_path):
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(UNSUPPORTED[name]).eval()
    with torch.no_grad():
        assert (alone(model, tiny_tokens) - model(tiny_tokens).logits).abs().max() > 0.1
    model.save_pretrained(tmp_path)
    with pytest.raises(UserError, match=f"'{name}' is not supported; supported: gpt_neo"):
        describe(read_model(tmp_path), tmp_path, "any", None)
    with pytest.raises(UserError, match=f"'{name}' is not supported"):  # before any job runs
        n_parameters(study("gpt-neo-125m"), tmp_path)
