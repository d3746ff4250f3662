"""What each rule runs, by the settings: its kind, which decides its memory, and how many paragraphs pass.

Counts are plain: paragraphs times their versions. A run that begins in a layer, or after a token, counts as
the half that it leaves out on average, what depends on the model's answers as its limit, and beside gradients
a pass without them as a third of one.
"""

import math
from contextlib import suppress
from pathlib import Path

from memloc.data.text_files import text_files
from memloc.planning.memory import Kind, Shape
from memloc.run.errors import InputError
from memloc.settings.data import CodeData
from memloc.settings.editing import ARMS
from memloc.settings.methods import METHODS
from memloc.settings.removal_ways import EDITS
from memloc.settings.study import Settings

PUBLISHED_PARAGRAPHS = 15_000
BYTES_OF_A_TOKEN, PACKED = 3.5, 3  # of text, and of code; text is so many times as large as its archive
MASK_STEPS = 200  # of a trained mask: 100 steps, each on a paragraph and on others
RANKINGS = 5  # of heads: the paper's four, and all together


def works(shape: Shape, settings: Settings) -> dict[str, tuple[Kind, float]]:
    """Kind of every rule that runs a model, and how many paragraphs pass; of training, how many windows."""
    n_texts, windows, halves = n_paragraphs(settings), n_windows(settings), settings.counterfactual.n_models
    sets, length, prefix = settings.sets, settings.paragraph.length, settings.paragraph.prefix
    m, n, pairs = sets.n_memorized, sets.n_non_memorized, 2 * sets.n_pairs
    compared = m + n + 2 * sets.n_partly + pairs  # of all samples and pairs, at most
    replaced = (m + n + pairs) * prefix * (1 - prefix / length / 2) * settings.perturbation.draws
    patches = shape.n_layers * (6 * shape.n_heads + prefix)  # q, k, v; both directions
    ablation = settings.head_ablation
    ablated = 2 * ablation.n_paragraphs + ablation.n_judging
    together = ablated * (RANKINGS + ablation.n_random) * len(ablation.top)
    place, detected = settings.positions, settings.detection
    placed = 3 * place.n_paragraphs * (3 + place.draws * sum(1 + n / length for n in place.lengths))
    prefixes = min(detected.n_repeated + 2 * detected.n_others, n_texts)
    scanned = settings.data.source == "text" and not settings.data.counts
    remove, n_grown = settings.remove, settings.n_grown
    grown_edits = 3 * len(EDITS) * min(n_grown, 3 * remove.n_single)  # told no place, the place, another one
    truth = settings.grown_truth
    slow = slow_methods(shape.n_layers, shape.n_heads, truth.integration_steps)
    questions = sum(slow.get(name, 1) for name, method in METHODS.items() if method.asked(truth))
    return {
        "train_model": ("training", windows * (1.5 if n_grown else 1)),  # half of it grows
        "train_twin": ("training", 1.5 * windows),  # two halves; in one of them memories grow
        "exchange_places": ("training", n_grown**2 / 4),  # passes, in windows of training
        "retrain": ("training", windows),
        "train_halves": ("training", halves * windows / 2),
        "model": ("score", 0),
        "scores": ("score", n_texts),
        "passages": ("score", 2 * n_texts * scanned),  # long windows overlap; all their tokens have logits
        "sets": ("score", 2 * compared),  # decoding
        "token_statistics": ("score", m + 2 * n),
        "score_samples": ("score", placed),
        "perturbation": ("score", replaced),
        "attention": ("score", (m + n + pairs + min(sets.n_rare_tokens, n_texts)) * prefix / length),
        "patching": ("score", m * patches / 4),  # half of the layers, half of the tokens
        "ablate_heads": ("score", shape.n_layers * (shape.n_heads + 2) * (ablated + pairs) / 2 + together),
        "prefix_features": ("score", prefixes * prefix / length),
        "activation_gradients": ("gradients", 5 * m),
        "parameter_gradients": ("edit", compared + m * (1 + settings.contrastive.n_controls)),
        **dict.fromkeys(("unlearn_paragraphs", "edit_paragraphs"), ("edit", _edits(settings))),
        "edited_model": ("edit", remove.steps * (m + (settings.edit_model.n_controls or n))),
        "remove": ("edit", _removal(settings)),
        "remove_grown": ("edit", grown_edits * (remove.n_judging + remove.steps * (1 + remove.n_keep))),
        "ask_methods": ("edit", 6 * n_grown * questions),  # memories of two models, in three models each
    }


def n_paragraphs(settings: Settings) -> int:
    """Paragraphs before the filters: those of own text by the sizes of its files, unless a setting tells."""
    data = settings.data
    if data.source == "drawn":
        return data.n_paragraphs
    if data.source == "code":
        cut, share = _tokens_of_code(data) / settings.paragraph.length, data.held_out
        return round(min(cut * (1 - share), data.n_paragraphs or cut) + cut * share)
    n_bytes = 0.0
    with suppress(InputError):  # rule `paragraphs` tells the user
        files = text_files(data.files, "data.files") if data.source == "text" else ()
        for path in filter(Path.exists, map(Path, files)):
            n_bytes += path.stat().st_size * (PACKED if path.suffix in (".gz", ".zst") else 1)
    cut = math.ceil(n_bytes / (BYTES_OF_A_TOKEN * settings.paragraph.length))
    return settings.estimate.paragraphs or cut or PUBLISHED_PARAGRAPHS


def n_windows(settings: Settings) -> float:
    """Windows of the training text. Repeats are log-uniform; occurrences cut by a window come again."""
    data, length, context = settings.data, settings.paragraph.length, getattr(settings.model, "context", 0)
    if not context:
        return 0
    if data.source == "code":
        return _tokens_of_code(data) * (1 - data.held_out) / context
    few, many = data.min_repeats, data.max_repeats
    mean = (many - few) / math.log(many / few) if many > few else few
    return (data.n_once + data.n_repeated * mean) * length / (context - length + 1)


def _tokens_of_code(data: CodeData) -> float:
    return data.megabytes * 1e6 / BYTES_OF_A_TOKEN


def _edits(settings: Settings) -> float:
    """Steps of one of the two objectives, which outweigh the judging."""
    how = settings.editing
    n = len(ARMS) * how.n_paragraphs
    tried = (n - how.n_paragraphs) * math.log2(len(how.learning_rates))  # random weights follow the top ones
    return (n + tried) * how.steps * (1 + how.n_controls)


def _removal(settings: Settings) -> float:
    """Every way is judged, together and one by one. Edits train with every setting, at most."""
    how = settings.remove
    removed, trained = how.n_joint + how.n_single, len({*how.ways} & {*EDITS})
    judged = removed * (1 + how.n_perturbations) + 3 * how.n_judging * (1 + how.n_single)
    tried = len(how.unlearning) * (how.n_validation + how.n_keep)
    steps = how.steps * (removed + how.n_keep * (1 + how.n_single) + tried)
    masks = MASK_STEPS * (removed + how.n_validation) * ("neurons_hard_concrete" in how.ways)
    return len(how.ways) * judged / 3 + masks + trained * steps


def slow_methods(n_layers: int, n_heads: int, integration_steps: int) -> dict[str, float]:
    """Gradients that a question takes of methods that take more than one."""
    return {
        "integrated_gradients": n_layers * integration_steps,
        "patching": n_layers * n_heads / 2,  # q, k and v, each half of a pass
        **dict.fromkeys(("zero_ablation", "mean_ablation"), n_layers * n_heads / 6),
        **dict.fromkeys(("hard_concrete", "slimming"), MASK_STEPS),
    }
