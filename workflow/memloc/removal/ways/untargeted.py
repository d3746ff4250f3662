"""Ways that name no paragraph: they drop the parts of every MLP matrix that carry little.

svd     the smallest singular components
kfac    the entries in directions of little curvature (2510.24256)

Weights that many texts share curve the loss of ordinary text. Weights that serve one paragraph hardly do. The
curvature of a matrix W [out, in] is approximated by the Kronecker product of two second moments over the
tokens of ordinary text (K-FAC, 1503.05671): A = E[x x'] of its inputs x, and G = E[g g'], where g is the
gradient of a paragraph's summed NLL with respect to its outputs. In the eigenbases of A and G, entry (i, j)
of W has the curvature g_i a_j. The entries with the smallest curvature are zeroed.
"""

from dataclasses import replace

import torch
from torch import Tensor

from memloc.model.sites import around_weights
from memloc.model.weights import EVERY, Movable
from memloc.removal.request import Change, Request, Setting
from memloc.scoring.losses import paragraph_nll


def svd(request: Request) -> Change:
    """Drop a share of the singular components of each matrix; settings are shares."""
    matrices = request.subject.mlp_weights
    with torch.no_grad():
        decomposed = {
            name: torch.linalg.svd(weight.double(), full_matrices=False) for name, weight in matrices.items()
        }

    @torch.no_grad()
    def change(setting: Setting) -> Movable:
        for name, (left, sizes, right) in decomposed.items():
            small = slice(-max(1, round(setting[0] * len(sizes))), None)
            matrices[name] -= ((left[:, small] * sizes[small]) @ right[small]).to(matrices[name])
        return dict.fromkeys(matrices, EVERY)

    return change


def kfac(request: Request) -> Change:
    """Drop a share of the entries in the eigenbases; settings are shares."""
    subject, factors, bases = request.subject, curvature(request), {}
    while factors:  # factors and eigenbases are equally large: never hold all of both
        name, own = factors.popitem()
        bases[name] = [torch.linalg.eigh(moments) for moments in own]

    @torch.no_grad()
    def change(setting: Setting) -> Movable:
        for name, ((a, in_basis), (g, out_basis)) in bases.items():
            weight = subject.as_linear(name, subject.model.get_parameter(name).detach())
            entries = out_basis.T @ weight.to(out_basis) @ in_basis
            sizes = (g.clamp(min=0)[:, None] * a.clamp(min=0)).flatten()
            small = sizes.argsort(stable=True)[: round(setting[0] * len(sizes))]
            entries.view(-1)[small] = 0
            weight.copy_((out_basis @ entries @ in_basis.T).to(weight))
        return dict.fromkeys(bases, EVERY)

    return change


def curvature(request: Request) -> dict[str, list[Tensor]]:
    """A and G of every MLP matrix, by its parameter, over the tokens of the general text."""
    subject, sums = replace(request.subject, n_prefix=1), {}
    n_tokens = request.general[:, 1:].numel()
    for rows in request.general.split(subject.micro_batch):
        with around_weights(subject.model, subject.mlp_weights) as (inputs, outputs):
            nll = paragraph_nll(subject, rows).sum() * (rows.shape[1] - 1)
        slopes = torch.autograd.grad(nll, [*outputs.values()])
        for (name, entering), slope in zip(inputs.items(), slopes, strict=True):
            moments = [own.flatten(0, 1).double() for own in (entering.detach(), slope)]
            moments = [own.T @ own / n_tokens for own in moments]
            sums[name] = [own + more for own, more in zip(sums.get(name, (0, 0)), moments, strict=True)]
    return sums
