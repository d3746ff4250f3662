"""Peak memory, in bytes, of a kind of rule: `python measure_memory.py STAGE MODEL_FOLDER`."""

import resource
import sys

import numpy as np
import torch

from memloc.editing.steps import Recipe
from memloc.localization.activation_gradients import activation_gradients
from memloc.model import loading
from memloc.model.pretrained import read_model
from memloc.model.subject import Subject
from memloc.removal.edit_cases import Case
from memloc.removal.editing import edit_case
from memloc.scoring.paragraph_scores import teacher_forced
from memloc.settings.editing import Editing

P = 50
TOKENS = torch.randint(50_000, (64, 100), generator=torch.Generator().manual_seed(0))


def gradients(model):
    subject = loading.bridged(Subject(model, P, 10))
    activation_gradients(subject, TOKENS[:50], np.arange(50), "memorized", reference=False)


def edit(model):
    texts = TOKENS[:1], TOKENS[1:2], TOKENS[2:12], TOKENS[12:22], TOKENS[22:32]
    how = Editing(steps=2)
    subject, recipe = Subject(model, P, 16), Recipe("unlearn", how)
    edit_case(subject, Case(0, *texts), recipe, seed=0)


KINDS = {
    "score": lambda model: teacher_forced(Subject(model, P, 64), TOKENS),
    "gradients": gradients,
    "edit": edit,
}

if __name__ == "__main__":
    torch.set_num_threads(1)
    kind, folder = sys.argv[1:]
    KINDS[kind](read_model(folder))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
