"""Sizes of the benchmark's model, and of the work that is timed."""

from typing import NamedTuple


class Sizes(NamedTuple):
    """Sizes of the model, a GPT-Neo, and of the work; the defaults are those of the full benchmark."""

    n_layers: int = 12  # as in GPT-Neo 125M, like heads, width and vocabulary
    n_heads: int = 12
    width: int = 768
    vocabulary: int = 50257
    window: int = 256  # tokens of local attention, and of the longest context
    repeats: int = 3  # timed runs of each side, after one that warms it up
    plain_batch: int = 50  # rows that the straightforward side decodes and scores at a time
    n_paragraphs: int = 64  # paragraphs that are scored
    n_perturbed: int = 4  # paragraphs whose prefix tokens are replaced in turn; the straightforward side: one
    n_pairs: int = 4  # pairs that are patched at every site
    patched_plain_step: int = 7  # the straightforward side patches one in so many sites of a pair
    n_gradients: int = 50  # paragraphs of the parameter gradients
    n_controls: int = 10  # controls of the edited paragraph
    n_steps: int = 5  # steps of its edit
    n_planted_steps: int = 10  # steps of every plant, one in every third layer


SMALL = {"repeats": 1, "plain_batch": 25, "n_paragraphs": 16, "n_perturbed": 1, "n_pairs": 1}
SMALL |= {"patched_plain_step": 25, "n_gradients": 8, "n_controls": 4, "n_steps": 2, "n_planted_steps": 1}
TINY = {"width": 96, "vocabulary": 512, "window": 128, "repeats": 1}
OF_TINY = 3  # layers, heads, paragraphs and all other numbers
SIZES = {
    "full": Sizes(),
    "small": Sizes(**SMALL),
    "tiny": Sizes(**dict.fromkeys(Sizes._fields, OF_TINY) | TINY),
}
