"""What each rule runs, by the settings: its kind, which decides its memory, and how many paragraphs pass.

Counts are plain: paragraphs times their versions. A run that begins in a layer, or after a token, counts as
the half that it leaves out on average, and what depends on the model's answers as its limit.
"""

import math
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from memloc.data.text_files import text_files
from memloc.planning.memory import Kind
from memloc.planning.shapes import Shape
from memloc.run.errors import InputError
from memloc.settings.data import CodeData
from memloc.settings.editing import PAPER_ARMS
from memloc.settings.interventions import BYPASSES
from memloc.settings.methods import METHODS
from memloc.settings.removal_ways import EDITS
from memloc.settings.study import Settings
from memloc.tables.terms.head_ranking import COMBINED, PAPER_METHODS
from memloc.tables.terms.kept_tokens import KEPT, N_KEPT

PUBLISHED_PARAGRAPHS = 15_000
BYTES_OF_A_TOKEN, PACKED = 3.5, 3  # of text, and of code; text is so many times as large as its archive
MASK_STEPS = 200  # of a trained mask: 100 steps, each on a paragraph and on others


class Work(NamedTuple):
    """A rule's kind, and paragraphs: of forward passes, of gradients, of steps; windows of training."""

    kind: Kind
    score: float = 0
    gradients: float = 0
    edit: float = 0
    training: float = 0


def works(shape: Shape, settings: Settings) -> dict[str, Work]:
    """The work of every rule that runs a model."""
    n_texts, windows, sets = n_paragraphs(settings), n_windows(settings), settings.sets
    length, prefix, n_layers = settings.paragraph.length, settings.paragraph.prefix, shape.n_layers
    scanned = settings.data.source == "text" and not settings.data.counts
    unembedded = shape.operations(length, length) / shape.operations(length, length - prefix)
    m, n, pairs = sets.n_memorized, sets.n_non_memorized, 2 * sets.n_pairs
    compared = m + n + 2 * sets.n_partly + pairs  # of all samples and pairs, at most
    replaced = (m + n + pairs) * prefix * (1 - prefix / length / 2) + m * len(KEPT) * len(N_KEPT)
    patches = n_layers * (2 * shape.n_heads + 4 * shape.n_kv_heads + prefix)  # q, k, v; both directions
    ablation, bypass = settings.head_ablation, settings.layer_bypass
    orders = len((*PAPER_METHODS, COMBINED)) + ablation.n_random
    ablated, bypassed = (2 * how.n_paragraphs + how.n_judging for how in (ablation, bypass))
    place, detected = settings.positions, settings.detection
    placed = 3 * place.n_paragraphs * (3 + place.draws * sum(1 + n / length for n in place.lengths))
    prefixes = min(detected.n_repeated + 2 * detected.n_others, n_texts) * prefix / length
    remove, n_grown, halves = settings.remove, settings.n_grown, settings.counterfactual.n_models
    grown_edits = 3 * len(EDITS) * min(n_grown, 3 * remove.n_single)  # told no place, the place, another one
    single = remove.steps * (1 + remove.n_keep)
    edits = _edits(settings)
    return {
        "train_model": Work("training", training=windows * (1.5 if n_grown else 1)),  # half of it grows
        "train_twin": Work("training", training=1.5 * windows),  # two halves; in one of them memories grow
        "exchange_places": Work("training", 2 * n_grown**2),
        "retrain": Work("training", training=windows),
        "train_halves": Work("training", halves * n_texts, training=halves * windows / 2),
        "model": Work("score"),
        "scores": Work("score", n_texts),
        "passages": Work("score", 1.2 * n_texts * unembedded * scanned),  # a pass whose windows overlap
        "sets": Work("score", 2 * compared),  # decoding
        "token_statistics": Work("score", m + 2 * n),
        "score_samples": Work("score", placed),
        "perturbation": Work("score", replaced * settings.perturbation.draws),
        "attention": Work("score", (m + n + pairs + min(sets.n_rare_tokens, n_texts)) * prefix / length),
        "patching": Work("score", m * patches / 4),  # half of the layers, half of the tokens
        "ablate_heads": Work(
            "score",
            n_layers * shape.n_heads * (ablated + pairs) / 2 + ablated * orders * len(ablation.top),
        ),
        "bypass_layers": Work("score", n_layers * sum(map(len, BYPASSES.values())) * (bypassed + pairs) / 2),
        "activation_gradients": Work("gradients", gradients=5 * m),
        "prefix_features": Work("score", prefixes),
        "parameter_gradients": Work("edit", gradients=compared + m * (1 + settings.contrastive.n_controls)),
        "unlearn_paragraphs": edits,
        "edit_paragraphs": edits,
        "edited_model": Work("edit", edit=remove.steps * (m + (settings.edit_model.n_controls or n))),
        "remove": _removal(settings),
        "remove_grown": Work("edit", grown_edits * 3 * remove.n_judging, edit=grown_edits * single),
        "ask_methods": _questions(shape, settings),
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


def _edits(settings: Settings) -> Work:
    """One of the two objectives: its steps, and the judging afterwards."""
    how = settings.editing
    n = len((*PAPER_ARMS, *how.extra_arms)) * how.n_paragraphs
    tried = (n - how.n_paragraphs) * math.log2(len(how.learning_rates))  # random weights follow the top ones
    judged = how.n_controls + 2 * how.n_judging + how.n_perturbations
    steps = (n + tried) * how.steps * (1 + how.n_controls)
    return Work("edit", n * judged, edit=steps + n * how.relearning_limit / 2)


def _removal(settings: Settings) -> Work:
    """Every way is judged, together and one by one. Edits train with every setting, at most."""
    how = settings.remove
    removed, trained = how.n_joint + how.n_single, len({*how.ways} & {*EDITS})
    judged = removed * (1 + how.n_perturbations + len(how.shifts)) + 3 * how.n_judging * (1 + how.n_single)
    tried = len(how.unlearning) * (how.n_validation + how.n_keep)
    steps = how.steps * (removed + how.n_keep * (1 + how.n_single) + tried)
    masks = MASK_STEPS * (removed + how.n_validation) * ("neurons_hard_concrete" in how.ways)
    relearned = len(how.ways) * removed * how.relearning_limit / 2
    return Work("edit", len(how.ways) * judged, masks, trained * steps + relearned)


def _questions(shape: Shape, settings: Settings) -> Work:
    """Every method is asked about the memories of two models, in three models each."""
    how = settings.grown_truth
    slow = slow_methods(shape, how.integration_steps)
    asked = sum(slow.get(name, 1) for name, each in METHODS.items() if each.asked(how))
    return Work("edit", gradients=2 * 3 * settings.n_grown * asked)


def slow_methods(shape: Shape, integration_steps: int) -> dict[str, float]:
    """Gradients that a question takes of methods that take more than one. A pass is a third of one."""
    heads = shape.n_layers * shape.n_heads
    return {
        "integrated_gradients": shape.n_layers * integration_steps,
        "patching": heads / 2,  # q, k and v, each half of a pass
        **dict.fromkeys(("zero_ablation", "mean_ablation"), heads / 6),
        **dict.fromkeys(("hard_concrete", "slimming"), MASK_STEPS),
    }
