"""Time and disk space of each rule, from the model's shape and the settings alone.

A rule's work is counted in passes: forward passes of one paragraph through all layers, with the logits of its
continuation. The rate of the machine's matrix products gives their time; the model's width decides which
share of that rate is reached. Imports, loading and tables add seconds that do not depend on the model. Other
work (norms, softmax, decoding token by token) is a factor of a rule's count, measured on study `mini`.
"""

import math

from memloc.resources.machine import Machine
from memloc.resources.memory import BYTES
from memloc.resources.shapes import Shape
from memloc.settings.editing import PAPER_ARMS
from memloc.settings.interventions import BYPASSES
from memloc.settings.methods import METHODS
from memloc.settings.model import GROWN_GRANULARITIES
from memloc.settings.removal_ways import ARM_WAYS, EDITS, INTEGRATION_STEPS, N_CANDIDATES
from memloc.settings.study import Settings
from memloc.tables.terms.head_ranking import COMBINED, PAPER_METHODS
from memloc.tables.terms.kept_tokens import KEPT, N_KEPT

HALF_RATE_WIDTH = 128  # width whose products reach half of the machine's rate; 768 reaches six sevenths
BACKWARD = 3  # a forward and a backward pass, in passes
MUON = 1.3  # time of a training step, relative to AdamW
MASK = 200 * BACKWARD  # passes that train a mask: 100 steps, each twice as long as other steps
GROWING = 0.5  # time that growing memories add to a training step, in such steps
PATCHED = 0.12  # passes of a patched run, which computes only the positions and layers that can change
PERTURBED = 0.8  # passes of a perturbed prefix, which computes the positions from the replaced token on
PUBLISHED_PARAGRAPHS = 15_000
# Time of a rule that runs no model, as a multiple of the time to import the library; TABLES for other rules.
FIXED = {"model": 1, "paragraphs": 6, "rare_tokens": 1, "detect": 3.6}
TABLES = 0.55
FIGURES_BYTES = 150e3  # a figure's files


def rule_seconds(rule: str, shape: Shape, settings: Settings, machine: Machine, threads: int) -> float:
    """Seconds of a rule that runs alone on a machine; 0 for downloads, since the network is not known."""
    if rule.startswith("download_"):
        return 0
    run = passes(shape, settings).get(rule, 0) * gflop_per_pass(shape, settings)
    if rule in ("train_model", "train_twin", "train_halves", "retrain"):
        run *= 0.7 if machine.bfloat16 else 1.3
    reached = shape.width / (shape.width + HALF_RATE_WIDTH)
    rate = machine.rate * reached * (1 if machine.gpus else threads)
    return FIXED.get(rule, 1 if run else TABLES) * machine.seconds_to_import + run / rate


def rule_bytes(rule: str, shape: Shape, settings: Settings) -> float:
    """Bytes that a rule leaves on the disk: rows of large tables, or weights."""
    if rule in ("train_model", "train_twin", "retrain", "download_model", "download_base", "edited_model"):
        return shape.n_parameters * BYTES["float32"]
    prefix, components = settings.paragraph.prefix, shape.n_layers * (4 * shape.n_heads + 2)
    left = {
        "attention": 5 * n_attended(settings) * prefix * shape.n_layers * shape.n_heads,
        "activation_gradients": 10 * 2 * settings.sets.n_memorized * prefix * components,
        "paragraphs": 350 * n_paragraphs(settings),
    }
    return left.get(rule, FIGURES_BYTES)


def n_paragraphs(settings: Settings) -> int:
    """Paragraphs before the filters. Own text and lists are not read here: a setting gives their number."""
    data = settings.data
    if data.source == "embedded":
        return data.n_paragraphs
    return settings.estimate.paragraphs or PUBLISHED_PARAGRAPHS


def n_attended(settings: Settings) -> float:
    """Paragraphs whose attention is analysed: both sets, pairs, rare-token sample (at most four fifths)."""
    sets = settings.sets
    rare_tokens = min(sets.n_rare_tokens, 0.8 * n_paragraphs(settings))
    return sets.n_memorized + sets.n_non_memorized + 2 * sets.n_pairs + rare_tokens


def n_trained(settings: Settings) -> float:
    """Occurrences in the training text. Repeats are log-uniform; occurrences cut by a window come again."""
    data, models = settings.data, [settings.model, *(settings.models or {}).values()]
    trained = [model for model in models if model and model.source in ("embedded", "fine_tuned")]
    if not trained:
        return 0
    few, many, context = data.min_repeats, data.max_repeats, trained[0].context
    mean = (many - few) / math.log(many / few) if many > few else few
    whole = (context - settings.paragraph.length + 1) / context
    return (data.n_once + data.n_repeated * mean) / whole


def gflop_per_pass(shape: Shape, settings: Settings) -> float:
    """GFLOP of a forward pass of one paragraph, with the logits of its continuation."""
    length, continuation = settings.paragraph.length, settings.paragraph.continuation
    attended = 2 * shape.n_layers * shape.n_heads * shape.d_head * length * (length + 1)
    unembedded = 2 * shape.width * shape.vocabulary * continuation
    return (2 * shape.n_component_weights * length + attended + unembedded) / 1e9


def passes(shape: Shape, settings: Settings) -> dict[str, float]:
    """Passes of every rule that runs the model."""
    sets, length, prefix = settings.sets, settings.paragraph.length, settings.paragraph.prefix
    m, n, paired = sets.n_memorized, sets.n_non_memorized, 2 * sets.n_pairs
    compared = m + n + 2 * sets.n_partly + paired  # of all samples and pairs, at most
    muon = getattr(settings.model, "optimizer", "adamw") == "muon"
    n_controls, noise, place = settings.contrastive.n_controls, settings.weight_noise, settings.positions
    noised = 3 * noise.n_paragraphs + noise.n_judging + paired
    patched = shape.n_layers * (2 * shape.n_heads + 4 * shape.n_kv_heads)  # q, k and v, in both directions
    after_text = place.draws * sum(1 + n / length for n in place.lengths)
    edits, slow = _edits(settings), _slow_methods(shape, settings)
    trained = BACKWARD * n_trained(settings) * (MUON if muon else 1)
    grown = settings.model.grown if settings.n_grown and settings.model else None
    from_then_on = 1 - grown.start if grown else 0
    growing, twins = GROWING * from_then_on, 2 if grown else 0
    return {
        "train_model": (1 + growing) * trained,
        "train_twin": (twins * from_then_on + (twins > 0) * growing) * trained,
        "exchange_places": twins * settings.n_grown * (settings.n_grown + 2),
        "retrain": trained,
        "train_halves": settings.counterfactual.n_models * (n_paragraphs(settings) + trained / 2),
        "scores": n_paragraphs(settings),
        "sets": 1.5 * (compared + n),
        "token_statistics": m + 2 * n,
        "score_samples": place.n_paragraphs * (3 * (3 + after_text) + 25),
        "perturbation": ((m + n + paired) * prefix * PERTURBED + m * len(KEPT) * len(N_KEPT))
        * settings.perturbation.draws,
        "parameter_gradients": (BACKWARD * compared + (BACKWARD + 1) * m * (1 + n_controls)) / 2,
        "activation_gradients": (3 * BACKWARD + 2 * (BACKWARD + 1)) * m,
        "attention": 1.5 * n_attended(settings) * (prefix + 1) / length,
        "patching": m * (BACKWARD + (patched + shape.n_layers * prefix) * PATCHED),
        "ablate_heads": _ablation(shape.n_layers * shape.n_heads, settings),
        "bypass_layers": _bypass(shape.n_layers, settings),
        "disturb_weights": BACKWARD * noise.n_paragraphs + noised * 2 * noise.draws * len(noise.sizes),
        "edit_paragraphs": edits,
        "unlearn_paragraphs": edits,
        "ask_methods": _asked(slow, settings),
        "prefix_features": _features(settings),
        "remove": _removal(shape.n_layers, settings),
        "remove_grown": _of_grown(shape.n_layers, settings),
    }


def _features(settings: Settings) -> float:
    """Passes over prefixes alone: by the model, and by an untrained model."""
    how = settings.detection
    sampled = min(how.n_repeated + 2 * how.n_others, n_paragraphs(settings))
    share = settings.paragraph.prefix / settings.paragraph.length
    return 0.6 * sampled * share * 2


def _ablation(n_heads: int, settings: Settings) -> float:
    """Passes of head ablation. One head costs the layers from its own on: half of a pass. The heads
    of rankings and of random orders cost whole passes."""
    how = settings.head_ablation
    texts = 2 * how.n_paragraphs + how.n_judging
    orders = len((*PAPER_METHODS, COMBINED)) + how.n_random
    return n_heads * (texts + 2 * settings.sets.n_pairs) / 2 + texts * orders * len(how.top)


def _bypass(n_layers: int, settings: Settings) -> float:
    """Passes of all ways to bypass blocks, each of which costs the layers from its own on."""
    how, n_ways = settings.layer_bypass, sum(map(len, BYPASSES.values()))
    texts = 2 * how.n_paragraphs + how.n_judging
    return n_layers * n_ways * (texts / 2 + settings.sets.n_pairs)


def _edits(settings: Settings) -> float:
    """Passes of one of the two objectives: its steps, and the judging afterwards."""
    how = settings.editing
    n_edits = how.n_paragraphs + how.n_swept * (len(how.learning_rates) - 1)
    steps = how.steps * BACKWARD * (1 + how.n_controls)
    after = how.n_controls + 2 * how.n_judging + how.n_perturbations
    n_arms = len((*PAPER_ARMS, *how.extra_arms))
    return n_arms * n_edits * (steps + after + BACKWARD * how.relearning_limit / 2)


def _removal(n_layers: int, settings: Settings) -> float:
    """Judging of every way; steps of the ways that train, in the sweep, together and one by one; rankings of
    neurons for each removed paragraph."""
    how = settings.remove
    versions = 1 + how.n_perturbations + len(how.shifts) + BACKWARD * how.relearning_limit / 2
    judged = (how.n_joint + how.n_single) * versions + 3 * how.n_judging * (1 + how.n_single)
    stepped = how.n_joint + how.n_keep + how.n_single * (1 + how.n_keep)
    stepped += len(how.unlearning) * (how.n_validation + how.n_keep)
    n_ranked = how.n_joint + how.n_single + how.n_validation
    further = {
        **dict.fromkeys((*ARM_WAYS, "gradient_ascent"), how.steps * BACKWARD * stepped),
        "neurons_integrated_gradients": n_ranked * n_layers * INTEGRATION_STEPS,
        "neurons_zero_out": n_ranked * N_CANDIDATES / 2,
        "neurons_hard_concrete": n_ranked * MASK,
    }
    return 1.5 * sum(judged + further.get(way, 0) for way in how.ways)


def _of_grown(n_layers: int, settings: Settings) -> float:
    """Passes that remove grown memories, one by one: as each way is, and told either of two places."""
    if not (settings.n_grown and settings.model):
        return 0
    how, grown = settings.remove, settings.model.grown
    ways = [way for way in EDITS if way in how.ways] or [*EDITS]
    alone = how.model_copy(update={"ways": ways, "n_joint": 1, "n_single": 0, "n_validation": 0})
    n = 3 * len(grown.kinds) * min(how.n_single, grown.n_memories)
    return n * _removal(n_layers, settings.model_copy(update={"remove": alone}))


def _asked(slow: dict[str, float], settings: Settings) -> float:
    """Passes of all methods, which are asked about the memories of two models, in three models each."""
    if not (settings.n_grown and settings.model):
        return 0
    grown = settings.model.grown

    def asked(kind: str) -> float:
        unit = GROWN_GRANULARITIES[kind][0]
        methods = [
            name for name, each in METHODS.items() if unit in each.units and each.asked(settings.grown_truth)
        ]
        return sum(slow.get(name, BACKWARD) for name in methods)

    return 1.7 * 2 * 3 * grown.n_memories * sum(map(asked, grown.kinds))


def _slow_methods(shape: Shape, settings: Settings) -> dict[str, float]:
    """Passes of methods that take more than a gradient, or that do not run the model (0)."""
    n_heads = shape.n_layers * shape.n_heads
    return {
        "integrated_gradients": shape.n_layers * settings.grown_truth.integration_steps,
        "patching": 4 * n_heads * PATCHED,
        "zero_ablation": n_heads / 2,
        "mean_ablation": n_heads / 2,
        **dict.fromkeys(("hard_concrete", "slimming"), MASK),
        **dict.fromkeys(("weight_size", "random", "oracle"), 0),
    }
