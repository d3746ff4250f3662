"""Perturbed prefixes."""

UNPERTURBED = -1  # position and token of the row that holds a paragraph's baseline
