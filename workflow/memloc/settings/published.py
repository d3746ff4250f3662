"""Numbers of the paper and of the authors' code that several places use."""

REFERENCE_NLL_WEIGHT = 0.1  # of the memorized paragraph's NLL in the authors' code
SPARSE_FRACTION = 0.001  # of the W_* weights, moved by the sparse edits (paper 5.3)
