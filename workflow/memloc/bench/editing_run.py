"""A whole run of edits of one paragraph, all arms with their evaluations, next to a straightforward one."""

from collections.abc import Callable

import pandas as pd
from jaxtyping import Int
from torch import Tensor

from memloc.bench.measure import Results
from memloc.bench.subject import Bench, Comparison, Stage, damp_attention
from memloc.editing.masks import OriginalWeights
from memloc.editing.steps import Recipe
from memloc.removal.edit_cases import Case
from memloc.removal.editing import edit_paragraphs
from memloc.settings.editing import ARMS
from memloc.straightforward.editing import Texts, unlearn_and_judge

LEARNING_RATE = 1e-5
PLAIN_ARM = ARMS.index("top")
MATCHES = ["em_memorized", "em_control", "em_other", "recited", "relearning_steps"]
NLLS = ["nll_memorized", "nll_control", "nll_other", "nll_held_out"]
NEVER = -1  # relearning steps of a paragraph that is not recited again


def editing_run(bench: Bench, own: Int[Tensor, "paragraph token"]) -> Comparison:
    """All arms of a paragraph as the workflow runs them (paper 5.3).

    The straightforward side runs one arm, and nothing of what comes before all of them.
    """
    case, head = _case(bench, own), (bench.sizes.n_layers // 2, 0)
    update = {"steps": bench.sizes.n_run_steps, "relearning_limit": bench.sizes.n_run_steps}
    how = bench.settings.editing.model_copy(update=update)

    def prepare() -> Callable[[], Results]:
        model, recipe = damp_attention(bench.model()), Recipe("unlearn", bench.n_prefix, how)
        return lambda: _judged(
            edit_paragraphs(model, [case], recipe, ARMS, [LEARNING_RATE], head, bench.seed).edits
        )

    def prepare_plain() -> Callable[[], Results]:
        model = bench.plain_reciting_model()
        original = OriginalWeights(model)
        texts = Texts(case.memorized, case.controls, case.others, case.held_out, case.perturbed)
        limits = how.fraction, LEARNING_RATE, how.steps, how.evaluate_every, how.relearning_limit

        def work() -> Results:
            found = unlearn_and_judge(model, texts, bench.n_prefix, *limits)
            original.restore(model)
            return _judged(pd.DataFrame([found]))

        return work

    stages = {"editing_run": Stage(prepare, len(ARMS))}
    return Comparison("arm", prepare_plain, 1, slice(PLAIN_ARM, PLAIN_ARM + 1), stages)


def _case(bench: Bench, own: Int[Tensor, "paragraph token"]) -> Case:
    """The first text, and as many controls, others, held-out texts and perturbed versions as asked for."""
    n = bench.sizes.n_run_texts
    controls, others, held_out = own[1 : 3 * n + 1].split(n)
    perturbed = own[:1].repeat(n, 1)
    perturbed[range(n), _replaced(bench)] = bench.random_tokens(1, n, "perturbed")[0]
    return Case(0, own[:1], None, controls, held_out, others, perturbed)


def _replaced(bench: Bench) -> list[int]:
    """Positions of the versions' replaced tokens: all over the prefix, as in table `perturbation`."""
    n = bench.sizes.n_run_texts
    return [bench.n_prefix * number // n for number in range(n)]


def _judged(edits: pd.DataFrame) -> Results:
    """What is judged of every arm."""
    steps = edits["relearning_steps"].astype("Float64").fillna(NEVER)
    judged = edits.assign(relearning_steps=steps)
    return {"matches": judged[MATCHES].to_numpy(float), "nlls": judged[NLLS].to_numpy(float)}
