"""Sets of paragraphs: their names, and the exact matches of each (paper 3.2)."""

PARTLY = ("partly_11_29", "partly_30_49")
SET_NAMES = ("memorized", "non_memorized", *PARTLY)
UNSEEN = "unseen"  # set of paragraphs of which the model has seen no copy or near-copy
HELD_OUT = "held_out"  # set of other paragraphs of files that are held out: the training text has copies
REPEATED = "repeated"  # paragraphs that occur more than once, of whichever set


def bins(n_continuation: int) -> dict[str, range]:
    """Exact matches of each set: for 50 tokens as in the paper, for other lengths the same shares."""
    few, many = n_continuation // 5 + 1, -(-n_continuation * 3 // 5)
    return {
        "non_memorized": range(few),
        "partly_11_29": range(few, many),
        "partly_30_49": range(many, n_continuation),
        "memorized": range(n_continuation, n_continuation + 1),
    }
