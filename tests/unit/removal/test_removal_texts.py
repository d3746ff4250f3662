"""Which paragraphs ways remove, keep, look at and are judged by."""

import numpy as np
import pandas as pd
import pytest
import torch
from made_requests import N_PREFIX, SMALL, other_text, subject

from memloc.removal.judging import perturbed_versions
from memloc.removal.removal_texts import texts_of
from memloc.run.errors import InputError
from memloc.run.seeds import generator
from memloc.settings.remove import Remove


def tables(n_memorized=12, n_others=40, n_sampled=6):
    n = n_memorized + n_others
    sets = pd.DataFrame({"id": range(n), "set": ["memorized"] * n_memorized + ["non_memorized"] * n_others})
    sets["sampled"] = sets.groupby("set").cumcount() < n_sampled
    sets["sampled_rare_tokens"] = False
    tokens = other_text(n, seed=3)
    sets["continuation"] = [list(row) for row in tokens[:, N_PREFIX:].tolist()]
    return {"paragraphs": pd.DataFrame({"id": range(n), "tokens": tokens.tolist()}), "sets": sets}


def test_texts_share_no_paragraph(memorizing_model):
    texts = texts_of(subject(memorizing_model), tables(), Remove(**SMALL), 0)
    groups = [texts.target.tokens, texts.keep, texts.general, texts.validation, texts.validation_own]
    groups += [group.tokens for group in texts.judges.values()]
    prefixes = [tuple(row[:N_PREFIX].tolist()) for group in groups for row in group]
    assert len(prefixes) == len(set(prefixes)) and all(len(group) for group in groups)
    assert len(texts.target.ids) == 4 and len(texts.validation) == len(texts.validation_own) == 2
    assert {name: len(group.ids) for name, group in texts.judges.items()} == dict.fromkeys(texts.judges, 4)


def test_listed_paragraphs_are_removed(memorizing_model):
    listed = texts_of(subject(memorizing_model), tables(), Remove(**SMALL), 0, listed=[3, 1])
    assert listed.target.ids.tolist() == [3, 1]
    for seed in range(6):  # settings are not chosen by them
        other = texts_of(subject(memorizing_model), tables(), Remove(**SMALL), seed, listed=[3, 1])
        assert not {*map(tuple, other.validation.tolist())} & {*map(tuple, other.target.tokens.tolist())}
    with pytest.raises(InputError, match="2 paragraphs are memorized: too few"):
        texts_of(subject(memorizing_model), tables(2), Remove(**SMALL), 0)
    with pytest.raises(ValueError, match="remove: 0 paragraphs are memorized"):
        texts_of(subject(memorizing_model), tables(0), Remove(**SMALL), 0)


def test_texts_are_drawn_by_streams_of_their_own(memorizing_model):
    drawn_from, how, seed = tables(), Remove(**SMALL), 3
    texts = texts_of(subject(memorizing_model), drawn_from, how, seed)
    order = generator(seed, "removal", "paragraphs").permutation(np.arange(12))
    assert texts.target.ids.tolist() == order[:4].tolist()
    tokens = torch.tensor(drawn_from["paragraphs"]["tokens"].tolist())
    assert torch.equal(texts.validation, tokens[order[4:6]])
    kept = generator(seed, "removal", "keep").permutation(6)[:3] + 12
    assert torch.equal(texts.keep, tokens[kept])
    for name, row, versions in zip(order[:4], texts.target.tokens, texts.target.perturbed, strict=True):
        random = generator(seed, "removal", "perturbed", str(name))
        size = memorizing_model.config.vocab_size
        assert torch.equal(versions, perturbed_versions(row, N_PREFIX, 3, size, random))


def test_of_few_paragraphs_half_are_removed_and_half_of_the_others_choose(memorizing_model):
    how = Remove(**SMALL | {"n_joint": 40, "n_validation": 10, "n_judging": 5})
    texts = texts_of(subject(memorizing_model), tables(n_memorized=9), how, 0)
    assert (len(texts.target.ids), len(texts.validation)) == (4, 2)
    sizes = {name: len(group.ids) for name, group in texts.judges.items()}
    assert sizes["memorized"] == 3 and sizes["held_out"] == 5
    assert len(texts.validation_own) == min(10, (len(texts.validation_own) + sizes["non_memorized"]) // 2)
