"""Arms: which weights an edit may move. The one list of their names.

`movable_weights` (editing/masks.py) chooses an arm's weights. ARM_STYLES (figures/parts/edit_summary.py)
says how figures show it. Tests fail where one of them is missing.
"""

PAPER_ARMS = ("all", "top", "random")  # always run (paper 5.3)
EXTRA_ARMS = ("head", "other_head", "layer")
ARMS = (*PAPER_ARMS, *EXTRA_ARMS)
