"""Bypassed blocks against edits of the weights, and against whole passes."""

from functools import partial

import numpy as np
import pytest
import torch
from whole_passes import assert_scores_are_those_of

from memloc.localization.ablation import ablate
from memloc.localization.layer_bypass import bypass, bypasses, mean_block_outputs
from memloc.model.subject import Subject

N_PREFIX = 5
subject = partial(Subject, n_prefix=N_PREFIX, micro_batch=4)
WRITTEN_BY = {"attention": "W_O", "mlp": "W_out"}


def logits_under(model, tokens, made):
    with torch.no_grad(), made.applied(subject(model)):
        return model(tokens).logits


@pytest.mark.parametrize("block", WRITTEN_BY)
def test_blocks_that_write_their_mean_to_all_text_are_replaced_by_themselves(tiny_gpt2, tiny_tokens, block):
    """Without its output weights a block writes its bias, another in each layer: the mean is that anyway."""
    with torch.no_grad():
        for component in subject(tiny_gpt2).components:
            if component.name == WRITTEN_BY[block]:
                tiny_gpt2.get_submodule(component.module).weight.zero_()
                tiny_gpt2.get_submodule(component.module).bias.normal_()
        whole = tiny_gpt2(tiny_tokens).logits
    means = mean_block_outputs(subject(tiny_gpt2, micro_batch=7), tiny_tokens)
    same = logits_under(tiny_gpt2, tiny_tokens, bypass(block, 1, means))
    torch.testing.assert_close(same, whole, atol=1e-5, rtol=1e-5)
    (other,) = WRITTEN_BY.keys() - {block}
    changed = logits_under(tiny_gpt2, tiny_tokens, bypass(other, 1, means))
    assert (changed - whole).abs().max() > 1e-3


def test_the_table_has_the_scores_of_whole_passes(memorizing_model, texts):
    means = mean_block_outputs(subject(memorizing_model), texts["held_out"].tokens)
    plan = bypasses(means)
    table = ablate(subject(memorizing_model), texts, {"layer_bypass": plan})["layer_bypass"]
    assert len(table) == len(plan) * 7 == 4 * 7
    for labels, made in plan:
        rows = table[np.logical_and.reduce([table[name] == value for name, value in labels.items()])]
        without = partial(made.applied, subject(memorizing_model))
        assert_scores_are_those_of(rows, subject(memorizing_model, micro_batch=100), texts, without)
    without = table[(table["block"] == "attention") & (table["group"] == "memorized")]
    assert without["em_lost"].max() > 5
