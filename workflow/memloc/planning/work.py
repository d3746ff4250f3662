"""What each rule runs, by the settings: its kind, which decides its memory, and how many paragraphs pass.

Counts are plain: paragraphs times their versions. A run that begins in a layer, or after a token, counts as
the half that it leaves out on average, what depends on the model's answers as its limit.
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
GATE_STEPS = 100  # of the way `neurons_hard_concrete`
RANKINGS = 5  # of heads: the paper's four, and all together


def works(shape: Shape, settings: Settings) -> dict[str, tuple[Kind, float]]:
    """Kind of every rule that runs a model, and how many paragraphs pass; of training, how many windows."""
    n_texts, windows, n_grown = n_paragraphs(settings), n_windows(settings), settings.n_grown
    sets, length, prefix = settings.sets, settings.paragraph.length, settings.paragraph.prefix
    m, compared = sets.n_memorized, sets.n_memorized + sets.n_non_memorized + 2 * sets.n_pairs
    ablation, place, detected = settings.head_ablation, settings.positions, settings.detection
    ablated = 2 * ablation.n_paragraphs + ablation.n_judging
    blocks = shape.n_layers * (shape.n_heads + 2) / 2 + (RANKINGS + ablation.n_random) * len(ablation.top)
    patches = shape.n_layers * (6 * shape.n_heads + prefix) / 4  # q, k, v; both directions
    placed = 3 * place.n_paragraphs * (3 + place.draws * sum(1 + n / length for n in place.lengths))
    scanned = settings.data.source == "text" and not settings.data.counts
    return {
        "train_model": ("training", windows * (1.5 if n_grown else 1)),  # half of it grows
        "train_twin": ("training", 1.5 * windows),  # two halves; in one of them memories grow
        "exchange_places": ("training", n_grown**2 / 4),  # passes, in windows of training
        "retrain": ("training", windows),
        "train_halves": ("training", settings.counterfactual.n_models * windows / 2),
        "model": ("score", 0),
        "scores": ("score", n_texts),
        "passages": ("score", 2 * n_texts * scanned),  # long windows overlap; all their tokens have logits
        "sets": ("score", 2 * (compared + 2 * sets.n_partly)),  # decoding
        "token_statistics": ("score", 2 * compared),
        "score_samples": ("score", placed),
        "perturbation": ("score", compared * prefix * settings.perturbation.draws),
        "attention": ("score", compared + min(sets.n_rare_tokens, n_texts)),
        "patching": ("score", m * patches),
        "ablate_heads": ("score", (ablated + 2 * sets.n_pairs) * blocks),
        "prefix_features": ("score", min(detected.n_repeated + 2 * detected.n_others, n_texts)),
        "activation_gradients": ("gradients", 5 * m),
        **{rule: ("edit", n) for rule, n in _edits(shape, settings, compared).items()},
    }


def _edits(shape: Shape, settings: Settings, compared: int) -> dict[str, float]:
    """Paragraphs whose gradients each rule takes with respect to weights."""
    sets, how, edits, truth = settings.sets, settings.remove, settings.editing, settings.grown_truth
    steps = edits.steps * (1 + edits.n_controls) * (1 + math.log2(len(edits.learning_rates)))  # bisected
    removed, kept = how.n_joint + how.n_single, how.n_keep * (1 + how.n_single)
    tried = len(how.unlearning) * (how.n_validation + how.n_keep)
    gates = GATE_STEPS * ("neurons_hard_concrete" in how.ways) * (removed + how.n_validation)
    judged = len(how.ways) * removed * how.n_perturbations
    grown = 3 * len(EDITS) * min(settings.n_grown, 3 * how.n_single)  # told no place, its own, another one
    # Patching and two ablations pass through every head, the rest takes a gradient.
    paths = shape.n_layers * (truth.integration_steps + shape.n_heads)
    return {
        "parameter_gradients": 2 * compared + sets.n_memorized * settings.contrastive.n_controls,
        **dict.fromkeys(("unlearn_paragraphs", "edit_paragraphs"), len(ARMS) * edits.n_paragraphs * steps),
        "edited_model": how.steps * (sets.n_memorized + (settings.edit_model.n_controls or compared)),
        "remove": len({*how.ways} & {*EDITS}) * how.steps * (removed + kept + tried) + gates + judged,
        "remove_grown": grown * (how.n_judging + how.steps * (1 + how.n_keep)),
        # Memories of two models, in three models each.
        "ask_methods": 6 * settings.n_grown * (len(METHODS) + paths),
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
