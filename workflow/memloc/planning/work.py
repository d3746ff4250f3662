"""What each rule runs, by the settings: its kind, which decides its memory, and how many paragraphs pass.

Counts are plain: paragraphs times their versions. A run that begins in a layer, or after a token, counts as
the half that it leaves out on average, what depends on the model's answers as its limit. Rules that take
little beside the others count as a few runs of the samples.
"""

import math
from contextlib import suppress
from pathlib import Path

from memloc.data.text_files import text_files
from memloc.planning.memory import Kind, Shape
from memloc.run.errors import InputError
from memloc.settings.editing import ARMS
from memloc.settings.methods import METHODS
from memloc.settings.removal_ways import EDITS
from memloc.settings.study import Settings

PUBLISHED_PARAGRAPHS = 15_000
HELD = 35e-6  # MB of each token of a text that is read: characters, numbers, and what is known of each
BYTES_OF_A_TOKEN, PACKED = 3.5, 3  # of text, and of code; text is so many times as large as its archive
FEW = 5  # runs of each sample


def works(shape: Shape, settings: Settings) -> dict[str, tuple[Kind, float]]:
    """Kind of every rule that runs a model, and how many paragraphs pass; of training, how many windows."""
    n_texts, windows, n_grown = n_paragraphs(settings), n_windows(settings), settings.n_grown
    sets, prefix, detected = settings.sets, settings.paragraph.prefix, settings.detection
    m, compared = sets.n_memorized, sets.n_memorized + sets.n_non_memorized + 2 * sets.n_pairs
    ablation, edits, how = settings.head_ablation, settings.editing, settings.remove
    ablated = 2 * (ablation.n_paragraphs + sets.n_pairs) + ablation.n_judging
    blocks = shape.n_layers * (shape.n_heads + 2) / 2 + ablation.n_random * len(ablation.top)
    patches = shape.n_layers * (6 * shape.n_heads + prefix) / 4  # q, k, v; both directions
    arms = len(ARMS) * (1 + math.log2(len(edits.learning_rates)))  # bisected
    edited = edits.n_paragraphs * edits.steps * (1 + edits.n_controls) * arms
    removed = (how.n_joint + how.n_keep + how.n_single * (1 + how.n_keep)) * how.steps
    grown = min(n_grown, 3 * how.n_single) * (how.n_judging + how.steps * (1 + how.n_keep))
    # Patching and two ablations pass through every head, the rest takes a gradient.
    paths = len(METHODS) + shape.n_layers * (settings.grown_truth.integration_steps + shape.n_heads)
    scanned = settings.data.source == "text" and not settings.data.counts
    small = ("sets", "token_statistics", "score_samples", "attention")
    return {
        "train_model": ("training", windows * (1.5 if n_grown else 1)),  # half of it grows
        "train_twin": ("training", 1.5 * windows),  # two halves; in one of them memories grow
        "exchange_places": ("training", n_grown**2 / 4),  # passes, in windows of training
        "retrain": ("training", windows),
        "train_halves": ("training", settings.counterfactual.n_models * windows / 2),
        "model": ("score", 0),
        "scores": ("score", n_texts),
        "passages": ("score", 2 * n_texts * scanned),  # long windows overlap; all their tokens have logits
        "perturbation": ("score", compared * prefix * settings.perturbation.draws),
        "patching": ("score", m * patches),
        "ablate_heads": ("score", ablated * blocks),
        "prefix_features": ("score", min(detected.n_repeated + 2 * detected.n_others, n_texts)),
        **dict.fromkeys(small, ("score", FEW * compared)),
        "activation_gradients": ("gradients", FEW * m),
        "parameter_gradients": ("edit", 2 * compared + m * settings.contrastive.n_controls),
        **dict.fromkeys(("unlearn_paragraphs", "edit_paragraphs"), ("edit", edited)),
        "edited_model": ("edit", how.steps * (m + (settings.edit_model.n_controls or compared))),
        # Trying settings takes as much again.
        "remove": ("edit", 2 * len({*how.ways} & {*EDITS}) * removed),
        "remove_grown": ("edit", 3 * len(EDITS) * grown),  # told no place, its own, another one
        # Memories of two models, in three models each.
        "ask_methods": ("edit", 6 * n_grown * paths),
    }


def n_paragraphs(settings: Settings) -> int:
    """Paragraphs before the filters: those of own text by the sizes of its files, unless a setting tells."""
    data, n_bytes = settings.data, 0.0
    if data.source == "drawn":
        return data.n_paragraphs
    if data.source == "code":
        n_bytes = data.megabytes * 1e6
    elif data.source == "text":
        with suppress(InputError):  # rule `paragraphs` tells the user
            for path in filter(Path.exists, map(Path, text_files(data.files, "data.files", data.encoding))):
                n_bytes += path.stat().st_size * (PACKED if path.suffix in (".gz", ".zst") else 1)
    cut = math.ceil(n_bytes / (BYTES_OF_A_TOKEN * settings.paragraph.length))
    if data.source == "code" and data.n_paragraphs:
        return min(cut, data.n_paragraphs + round(cut * data.held_out))
    return settings.estimate.paragraphs or cut or PUBLISHED_PARAGRAPHS


def text_megabytes(settings: Settings) -> int:
    """MB that rule `passages` asks for beside those of its kind."""
    return math.ceil(HELD * n_paragraphs(settings) * settings.paragraph.length)


def n_windows(settings: Settings) -> float:
    """Windows of the training text. Repeats are log-uniform; occurrences cut by a window come again."""
    data, length, context = settings.data, settings.paragraph.length, getattr(settings.model, "context", 0)
    if data.source == "code" and context:
        return data.megabytes * 1e6 / BYTES_OF_A_TOKEN * (1 - data.held_out) / context
    if data.source == "drawn" and context:
        few, many = data.min_repeats, data.max_repeats
        mean = (many - few) / math.log(many / few) if many > few else few
        return (data.n_once + data.n_repeated * mean) * length / (context - length + 1)
    return 0.0
