"""Prefixes of which a few tokens are kept."""

KEPT = COSTLIEST, RANDOM = ("costliest", "random")
N_KEPT = (1, 2, 5, 10, 25)
