"""Ask localization methods where a paragraph is; `settings/methods.py` lists the methods."""

from collections.abc import Callable, Iterator

import scipy  # loads scipy.stats, which takes half a second, where it is first used
import torch
from torch import Tensor

from memloc.model.subject import Subject
from memloc.model.weights import Granularity, UnitScores
from memloc.planting import activation_methods, head_methods, weight_methods
from memloc.planting.question import Question
from memloc.settings.methods import ENSEMBLE, METHODS

# A method is the function of its name in one of these modules: from a subject and a question to
# scores (larger: likelier).
MODULES = (weight_methods, activation_methods, head_methods)


def function_of(method: str) -> Callable[[Subject, Question], UnitScores]:
    """The function that answers for a method."""
    return next(vars(module)[method] for module in MODULES if method in vars(module))


def answers(subject: Subject, question: Question) -> Iterator[tuple[str, Granularity, Tensor]]:
    """The answers of all methods that rank units of the first wanted granularity, and of `ensemble`.

    An answer is a method's name, a granularity, and the scores of all its units. The ensemble ranks units
    by their mean rank.
    """
    ranks: dict[Granularity, list[Tensor]] = {}
    for name, method in METHODS.items():
        if question.wanted[0] not in method.units:
            continue
        scores = function_of(name)(subject, question)
        for granularity in question.wanted:
            if granularity in scores:
                found = scores[granularity].flatten()
                yield name, granularity, found
                if method.in_ensemble and granularity != "weight":
                    own = scipy.stats.rankdata(-found.numpy())  # ties share their mean rank
                    ranks.setdefault(granularity, []).append(torch.from_numpy(own))
    for granularity, found in ranks.items():
        yield ENSEMBLE, granularity, -torch.stack(found).mean(dim=0)
