"""Keep a few tokens of a prefix and replace all others: do the costliest ones suffice?

Single perturbations (`replaced_tokens`) show which tokens a continuation needs, not which suffice for it.
"""

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int
from torch import Tensor

from memloc.model.subject import Subject
from memloc.perturbation.replaced_tokens import Texts, draw_replacements
from memloc.run.seeds import generator
from memloc.scoring import paragraph_scores
from memloc.tables.terms.kept_tokens import KEPT, N_KEPT
from memloc.tables.terms.perturbation import UNPERTURBED


def costliest_first(
    perturbation: pd.DataFrame, ids: Int[np.ndarray, "paragraph"], n_prefix: int
) -> Int[Tensor, "paragraph position"]:
    """Positions of each prefix in the order of their cost, the costliest first.

    The cost is the mean over draws of the NLL after a perturbation there, or of minus EM if only EM is known.
    Equal positions stay in order, and positions that are never perturbed come last.
    """
    rows = perturbation[perturbation["position"] != UNPERTURBED]
    costs = rows.assign(cost=rows["nll_original"].fillna(-rows["em"])).pivot_table("cost", "id", "position")
    costs = costs.reindex(index=ids, columns=range(n_prefix)).fillna(-np.inf)
    return torch.from_numpy(np.argsort(-costs.to_numpy(), axis=1, kind="stable"))


def keep_tokens(
    subject: Subject, perturbation: pd.DataFrame, texts: Texts, draws: int, threshold: float, seed: int
) -> pd.DataFrame:
    """Score every paragraph with 1, 2, .. tokens of its prefix kept: the costliest, and as many random ones.

    All versions of a paragraph in a draw have the same random tokens in place of the others. These depend on
    seed and id only. `perturbation` is the table with the cost of perturbing each token by itself.
    `threshold` is that of near-ties.

    Returns:
        Columns id, kept, n_kept (fewer than the prefix has) and draw; em (tokens) and nll (nats per token) of
        the unperturbed continuation.
    """
    n_prefix, tokens = subject.n_prefix, texts.tokens
    n_kept = torch.tensor([n for n in N_KEPT if n < n_prefix])
    replacements, order = _drawn(n_prefix, texts, draws, seed)
    costliest = costliest_first(perturbation, texts.ids, n_prefix)[:, None].expand_as(order)
    ranks = torch.stack([costliest, order]).argsort(dim=-1)  # [kept, paragraph, draw, position]
    stays = ranks[..., None, :] < n_kept[:, None]
    prefixes = torch.where(stays, tokens[:, None, None, :n_prefix], replacements[:, :, None])
    rest = tokens[:, None, None, n_prefix:].expand(*prefixes.shape[:-1], -1)
    versions = subject.placed(torch.cat([prefixes, rest], dim=-1).flatten(0, 3))
    scores = paragraph_scores.score(subject.of_placed, versions, threshold)
    kept, paragraph, draw, number = (axis.ravel() for axis in np.indices(stays.shape[:-1]))
    labels = {"id": texts.ids[paragraph], "kept": np.array(KEPT)[kept], "n_kept": n_kept.numpy()[number]}
    return pd.DataFrame({**labels, "draw": draw, "em": scores.em.numpy(), "nll": scores.nll.numpy()})


def _drawn(
    n_prefix: int, texts: Texts, draws: int, seed: int
) -> tuple[Int[Tensor, "paragraph draw position"], Int[Tensor, "paragraph draw position"]]:
    """Random tokens for every position, and random orders of the positions."""
    replacements, orders = [], []
    for id, prefix in zip(texts.ids, texts.tokens[:, :n_prefix].numpy(), strict=True):
        random = generator(seed, "kept_tokens", str(id))
        replacements.append(draw_replacements(prefix, texts.n_vocabulary, draws, random))
        orders.append([random.permutation(len(prefix)) for _ in range(draws)])
    return torch.from_numpy(np.stack(replacements)), torch.from_numpy(np.array(orders))
