"""Peak memory, in bytes, of one rule's computation: `python measure_memory.py STAGE MODEL_FOLDER`."""

import copy
import resource
import sys

import numpy as np
import torch

from memloc.data.draws import Parts, draw, draw_controls, split
from memloc.editing.steps import Recipe
from memloc.localization.ablation import Ablation, ablated_scores, mean_outputs
from memloc.localization.activation_gradients import activation_gradients
from memloc.localization.attention import attention_frame, prefix_attention
from memloc.localization.contrastive import Texts, contrastive_attribution
from memloc.localization.parameter_gradients import compare_groups
from memloc.model import loading
from memloc.model.components import editable_parameters
from memloc.planting.methods import answers
from memloc.planting.question import Question
from memloc.removal.edit_cases import Case
from memloc.removal.editing import run_edits
from memloc.scoring.decoding import greedy_continuation
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.scoring.token_statistics import continuation_nll
from memloc.settings.editing import Editing
from memloc.settings.grown_truth import GrownTruth
from memloc.settings.localization import ActivationGradients, Contrastive
from memloc.settings.model import GROWN_GRANULARITIES

P = 50
TOKENS = torch.randint(50_000, (64, 100), generator=torch.Generator().manual_seed(0))


def parameter_gradients(model):
    rng, sample = np.random.default_rng(0), (np.arange(20), TOKENS[:20])
    parts = split(20, rng)
    draws = draw([len(part) for part in parts], [[part] for part in range(len(parts))], rng)
    parts, texts = Parts(parts, draws), Texts(sample[1], TOKENS[20:40], draw_controls(20, 20, 10, rng))
    groups = dict.fromkeys(("memorized", "non_memorized", "partly"), sample)
    mean = compare_groups(model, groups, (np.arange(0), TOKENS[:0]), P, parts).memorized
    contrastive_attribution(model, texts, mean, P, parts, Contrastive())


def ablate_heads(model):
    means = mean_outputs(model, TOKENS[:16], 16)
    ablations = [Ablation(heads, means) for heads in ([(0, 0)], [(0, 0), (5, 1)], [(5, 1)])]
    ablated_scores(model, TOKENS[:16], ablations, P, 16)


def edit_paragraphs(model):
    texts = TOKENS[:1], TOKENS[1:2], TOKENS[2:12], TOKENS[12:22], TOKENS[22:32], TOKENS[32:48]
    how = Editing(steps=2, relearning_limit=1, extra_arms=["head"])
    list(run_edits(model, [Case(0, *texts)], Recipe("unlearn", P, how), (0, 0), seed=0, rows=[0]))


def ask_methods(model):
    how, means = GrownTruth(), mean_outputs(model, TOKENS[:16], 16)
    twins = [copy.deepcopy(model) for _ in range(2)]
    place = {name: torch.ones_like(model.get_parameter(name)) for name in editable_parameters(model)}
    counts, rng = np.ones(model.config.vocab_size, dtype=int), np.random.default_rng(0)
    wanted = GROWN_GRANULARITIES["grown_neurons"]
    list(answers(Question(model, TOKENS[:1], P, wanted, how, rng, None, means, counts, place)))
    assert len(twins) == 2


STAGES = {
    "scores": lambda model: teacher_forced(model, TOKENS, P, 64),
    "sets": lambda model: greedy_continuation(model, TOKENS[:, :P], 2, 64),
    "token_statistics": lambda model: continuation_nll(model, TOKENS, P, 64),
    "parameter_gradients": parameter_gradients,
    "activation_gradients": lambda model: activation_gradients(
        loading.boot_bridge(model), TOKENS[:50], np.arange(50), "memorized", P, ActivationGradients()
    ),
    "attention": lambda model: attention_frame(
        prefix_attention(loading.boot_bridge(model), TOKENS, P, 32), np.arange(64)
    ),
    "ablate_heads": ablate_heads,
    "edit_paragraphs": edit_paragraphs,
    "ask_methods": ask_methods,
}

if __name__ == "__main__":
    torch.set_num_threads(1)
    stage, folder = sys.argv[1:]
    STAGES[stage](loading.load_model(folder))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
