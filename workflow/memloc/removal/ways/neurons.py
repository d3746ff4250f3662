"""Zero the neurons that a localization method ranks first, that is, their rows of W_out (DEL of 2311.09060).

integrated_gradients   effect of zeroing along the path from zero, summed over the paragraphs
                       (`planting.activation_methods`)
zero_out               exact rise of the NLL without the neuron; only neurons that gradient x activation ranks
                       first are tried
hard_concrete          gates trained on the paragraphs: neurons whose gate stays open (`gates`)
"""

from collections.abc import Callable

import torch

from memloc.model.passes import recorded_calls
from memloc.model.subject import Subject
from memloc.model.weights import Movable, UnitScores, holding, of_units, set_values
from memloc.planting.activation_methods import gradient_x_activation, rise_without
from memloc.planting.places import by_layer
from memloc.planting.question import Question
from memloc.removal.request import Change, Request, Setting
from memloc.settings.grown_truth import GrownTruth
from memloc.settings.removal_ways import INTEGRATION_STEPS, N_CANDIDATES


def zero_out(subject: Subject, question: Question) -> UnitScores:
    """Exact rise of one paragraph's NLL without each of the candidates; other neurons score -inf."""
    likely = gradient_x_activation(subject, question)["neuron"]
    chosen = likely.flatten().topk(min(N_CANDIDATES, likely.numel())).indices
    calls, rises = recorded_calls(subject, question.tokens), torch.full_like(likely, -torch.inf)
    for layer, neurons in by_layer(chosen, likely.shape[1]).items():
        rises[layer, neurons] = rise_without(subject, question, calls, layer, neurons)
    return {"neuron": rises}


def neurons(request: Request, score: Callable[[Subject, Question], UnitScores], n_together: int) -> Change:
    """Zero the neurons with the largest summed scores; settings are shares of all neurons.

    Args:
        n_together: number of paragraphs in each question to the method.
    """
    subject, total = request.subject, 0
    how = GrownTruth(integration_steps=INTEGRATION_STEPS)
    for rows in request.remove.split(n_together):
        question = Question(rows, ("neuron",), how, request.random)
        total = total + score(subject, question)["neuron"].clamp(min=0)

    def change(setting: Setting, place: Movable | None = None) -> Movable:
        n = max(1, round(setting[0] * total.numel()))
        allowed = total if place is None else total.masked_fill(~holding(subject, place)["neuron"], -1)
        chosen = by_layer(allowed.flatten().topk(n).indices, total.shape[1])
        movable = of_units(subject, chosen, ("W_out",))
        set_values(subject, movable, dict.fromkeys(movable, 0))
        return movable

    return change
