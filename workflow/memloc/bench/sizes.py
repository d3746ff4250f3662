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


_NEO = {"n_layers": 12, "n_heads": 12, "width": 768, "vocabulary": 50257, "window": 256}  # GPT-Neo 125M
SIZES = {
    "full": Sizes(
        **_NEO,
        repeats=3,
        plain_batch=50,
        n_paragraphs=64,
        n_perturbed=4,
        n_pairs=4,
        patched_plain_step=7,
        n_gradients=50,
        n_controls=10,
        n_steps=5,
        n_planted_steps=10,
    ),
    "small": Sizes(
        **_NEO,
        repeats=1,
        plain_batch=25,
        n_paragraphs=16,
        n_perturbed=1,
        n_pairs=1,
        patched_plain_step=25,
        n_gradients=8,
        n_controls=4,
        n_steps=2,
        n_planted_steps=1,
    ),
    "tiny": Sizes(
        n_layers=3,
        n_heads=3,
        width=96,
        vocabulary=512,
        window=128,
        repeats=1,
        plain_batch=3,
        n_paragraphs=3,
        n_perturbed=3,
        n_pairs=3,
        patched_plain_step=3,
        n_gradients=3,
        n_controls=3,
        n_steps=3,
        n_planted_steps=3,
    ),
}
