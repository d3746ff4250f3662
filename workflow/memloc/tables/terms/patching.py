"""Directions of patching: whose activations go into whose run."""

DIRECTIONS = ("memorized_into_perturbed", "perturbed_into_memorized")
