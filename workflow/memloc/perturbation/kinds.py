"""Kinds of perturbation: how a prefix changes at one position (setting `perturbation.kind`).

replaced  a random other token takes the place of the token
deleted   the token goes, the tokens before it move up by one, and the first token that is left stands twice,
          so that all later tokens keep their positions, as in the other kinds
swapped   the token changes places with the next one
"""

import torch
from jaxtyping import Int
from torch import Tensor

from memloc.settings.perturbation import DELETED, REPLACED, SWAPPED


def positions(kind: str, n_prefix: int, first: int = 0) -> Int[Tensor, "chosen"]:
    """Positions from `first` on that can be perturbed; the last one cannot be swapped with a next one."""
    return torch.arange(first, n_prefix - (kind == SWAPPED))


def versions(
    tokens: Int[Tensor, "paragraph token"],
    kind: str,
    at: Int[Tensor, "chosen"],
    replacements: Int[Tensor, "paragraph draw chosen"],
) -> Int[Tensor, "paragraph draw chosen token"]:
    """Paragraphs with the token at each chosen position perturbed; kind `replaced` takes `replacements`."""
    moved = tokens[:, _sources(kind, at, tokens.shape[1])]
    found = moved[:, None].repeat(1, replacements.shape[1], 1, 1)
    if kind == REPLACED:
        found[:, :, torch.arange(len(at)), at] = replacements
    return found


def first_changed(kind: str, at: Int[Tensor, "chosen"]) -> Int[Tensor, "chosen"]:
    """The first position at which a version may differ from its paragraph."""
    return at.clamp(max=1) if kind == DELETED else at


def _sources(kind: str, at: Int[Tensor, "chosen"], n_tokens: int) -> Int[Tensor, "chosen place"]:
    """For each place of a version, the position of the paragraph's token that stands there."""
    places = torch.arange(n_tokens).repeat(len(at), 1)
    for row, position in zip(places, at.tolist(), strict=True):
        if kind == DELETED:
            row[1 : position + 1] = torch.arange(position)
            row[0] = int(position == 0)  # without the first token, the second one is the first that is left
        elif kind == SWAPPED:
            row[position : position + 2] = torch.tensor([position + 1, position])
    return places
