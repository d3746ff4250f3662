"""How large the model of the benchmark is, and how much of each stage is timed."""

from typing import NamedTuple


class Sizes(NamedTuple):
    """The model, a GPT-Neo; then the repeats, and the work."""

    n_layers: int
    n_heads: int
    width: int
    vocabulary: int
    window: int  # of local attention, and the longest context
    repeats: int  # timed runs of each side, after one that warms it up
    plain_batch: int  # rows that the straightforward implementations decode and score at a time
    n_paragraphs: int  # scored and continued
    n_perturbed: int  # whose prefix tokens are all replaced in turn; straightforwardly, one of them
    n_pairs: int  # patched at every site
    patched_plain_step: int  # of so many sites of a pair, one is patched straightforwardly
    n_gradients: int  # paragraphs of the parameter gradients
    n_controls: int  # of the edited paragraph
    n_steps: int  # of its edit
    n_planted_steps: int  # of every plant, one in every third layer


_NEO = (12, 12, 768, 50257, 256)  # GPT-Neo 125M
SIZES = {
    "full": Sizes(*_NEO, 3, 50, 64, 4, 4, 7, 50, 10, 5, 10),
    "small": Sizes(*_NEO, 1, 25, 16, 1, 1, 25, 8, 4, 2, 1),
    "tiny": Sizes(3, 3, 96, 512, 128, 1, *[3] * 9),
}
