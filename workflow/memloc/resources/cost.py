"""How long each rule takes and what it leaves on the disk, from the model's shape and the settings alone.

A rule's work is counted in passes: forward passes of one paragraph through all layers, with the logits of its
continuation. Arms, ways, methods and replacements are counted where they are listed. Time is this work over
the rate of the machine's matrix products, of which products of the model's width reach only a share. Seconds
that do not depend on the model are added: imports, loading, tables. What the counts leave out (norms,
softmax, decoding token by token) is in `OVERHEAD`. These seconds and `OVERHEAD` were measured once, on study
`mini`.
"""

import math
from typing import get_args

from memloc.localization.ablation import Replacement
from memloc.removal.registry import WAYS
from memloc.resources.machine import Machine
from memloc.resources.memory import BYTES
from memloc.resources.shapes import Shape
from memloc.settings.editing import PAPER_ARMS
from memloc.settings.layer_bypass import BYPASSES
from memloc.settings.methods import METHODS
from memloc.settings.plant_kinds import PLANT_GRANULARITIES
from memloc.settings.removal_ways import INTEGRATION_STEPS, N_CANDIDATES
from memloc.settings.study import Settings
from memloc.tables.terms.head_ranking import COMBINED, PAPER_METHODS
from memloc.tables.terms.kept_tokens import KEPT, N_KEPT

GIGA = 1e9
HALF_RATE_WIDTH = 128  # width whose products reach half of the machine's rate; 768 reaches six sevenths
BACKWARD = 3  # a forward and a backward pass, in passes
STEP = {"adamw": 1, "muon": 1.3}  # time of a training step, over one with AdamW
TRAINED_STEPS = 0.1  # of the most steps of a plant: those that it takes
MASK = 200 * BACKWARD  # passes that train a mask: 100 steps, which take twice as long as others
CURVE_POINTS = 20  # parts of a plant that are reverted, and planted, alone
PATCHED_SHARE = 0.12  # of a pass, for a patched run: the positions and layers that it can change
PERTURBED_SHARE = 0.8  # of a pass, for a perturbed prefix: the positions from the replaced token on
PUBLISHED_PARAGRAPHS = 15_000
# Time of a rule over what its passes alone would take; 1 for rules that are not named.
OVERHEAD = {
    "sets": 1.5,
    "activation_gradients": 1.5,
    "attention": 1.5,
    "parameter_gradients": 0.5,
    "plant_paragraphs": 1.7,
    "remove": 1.5,
    "prefix_features": 0.6,
}
TRAINED = {True: 0.7, False: 1.3}  # the same of `train_model`, with and without native bfloat16
# Time of a rule that runs no model, in times of importing the library; a figure's or a claim's is TABLES.
FIXED = {"model": 1, "paragraphs": 6, "rare_tokens": 1, "detect": 3.6, "transfer_detection": 4}
TABLES = 0.55
FIGURES_BYTES = 150e3  # of a figure's files


def rule_seconds(rule: str, shape: Shape, settings: Settings, machine: Machine, threads: int) -> float:
    """Time of a rule by itself on a machine; 0 for downloads, whose network is not known."""
    if rule.startswith("download_"):
        return 0
    run = passes(shape, settings).get(rule, 0) * gflop_per_pass(shape, settings)
    reached = shape.width / (shape.width + HALF_RATE_WIDTH)
    rate = machine.rate * reached * (1 if machine.gpus else threads)
    fixed = FIXED.get(rule, 1 if run else TABLES)
    overhead = TRAINED[machine.bfloat16] if rule == "train_model" else OVERHEAD.get(rule, 1)
    return fixed * machine.seconds_to_import + overhead * run / rate


def rule_bytes(rule: str, shape: Shape, settings: Settings) -> float:
    """Bytes that a rule leaves on the disk: rows of large tables, or weights."""
    sets, prefix = settings.sets, settings.paragraph.prefix
    attended = n_sampled(settings) + n_rare_tokens(settings) + 2 * sets.n_pairs
    components = shape.n_layers * (4 * shape.n_heads + 2)  # q, k, v and z of every head, pre and post
    left = {
        "attention": 5 * attended * prefix * shape.n_layers * shape.n_heads,
        "activation_gradients": 10 * 2 * sets.n_memorized * prefix * components,
        "paragraphs": 350 * n_paragraphs(settings),
    }
    models = "train_model", "download_model", "download_base", "edited_model"
    left |= dict.fromkeys(models, shape.n_parameters * BYTES["float32"])
    return left.get(rule, FIGURES_BYTES)


def n_paragraphs(settings: Settings) -> int:
    """Paragraphs before the filters; for own text and lists, which are not read here, as a setting says."""
    data = settings.data
    if data.source == "embedded":
        return data.n_repeated + data.n_once + data.n_unseen
    return settings.estimate.paragraphs or PUBLISHED_PARAGRAPHS


def n_sampled(settings: Settings) -> int:
    """Paragraphs of all samples."""
    return settings.sets.n_memorized + settings.sets.n_non_memorized + 2 * settings.sets.n_partly


def n_rare_tokens(settings: Settings) -> float:
    """Paragraphs of the rare-token analysis: at most four fifths of all."""
    return min(settings.sets.n_rare_tokens, 0.8 * n_paragraphs(settings))


def n_trained(settings: Settings) -> float:
    """Occurrences in the training windows: repeats are log-uniform, and what a window cuts comes again."""
    data, models = settings.data, [settings.model, *(settings.models or {}).values()]
    trained = [model for model in models if model and model.source in ("embedded", "planted")]
    if not trained:
        return 0
    few, many, context = data.min_repeats, data.max_repeats, trained[0].context
    mean = (many - few) / math.log(many / few) if many > few else few
    whole = (context - settings.paragraph.length + 1) / context
    return (data.n_once + data.n_repeated * mean) / whole


def gflop_per_pass(shape: Shape, settings: Settings) -> float:
    """Work of a forward pass of one paragraph, and of the logits of its continuation."""
    length, continuation = settings.paragraph.length, settings.paragraph.continuation
    attended = 2 * shape.n_layers * shape.n_heads * shape.d_head * length * (length + 1)
    unembedded = 2 * shape.width * shape.vocabulary * continuation
    return (2 * shape.n_component_weights * length + attended + unembedded) / GIGA


def passes(shape: Shape, settings: Settings) -> dict[str, float]:
    """Passes of every rule that runs the model."""
    sets, length, prefix = settings.sets, settings.paragraph.length, settings.paragraph.prefix
    m, n, sampled, paired = sets.n_memorized, sets.n_non_memorized, n_sampled(settings), 2 * sets.n_pairs
    n_heads = shape.n_layers * shape.n_heads
    patched = 2 * n_heads + 4 * shape.n_layers * shape.n_kv_heads  # q, k and v, in both directions
    return {
        "train_model": BACKWARD * n_trained(settings) * STEP[getattr(settings.model, "optimizer", "adamw")],
        "scores": n_paragraphs(settings),
        "sets": sampled + n + paired,
        "token_statistics": m + 3 * n,
        "score_positions": _positions(settings),
        "perturbation": ((m + n + paired) * prefix * PERTURBED_SHARE + m * len(KEPT) * len(N_KEPT))
        * settings.perturbation.draws,
        "parameter_gradients": BACKWARD * (sampled + paired)
        + (BACKWARD + 1) * m * (1 + settings.contrastive.n_controls),
        "activation_gradients": 2 * BACKWARD * m,
        "impact_gradients": 2 * (BACKWARD + 1) * m,
        "compare_activation_gradients": BACKWARD * (sampled + m + n + paired),
        "attention": (sampled + paired + n_rare_tokens(settings)) * (prefix + 1) / length,
        "patching": m * (BACKWARD + patched * PATCHED_SHARE),
        "residual_patching": m * 2 * shape.n_layers * prefix / 2 * PATCHED_SHARE,
        "ablate_heads": _ablation(n_heads, settings),
        "bypass_layers": _bypass(shape.n_layers, settings),
        "disturb_weights": _noise(settings),
        "edit_paragraphs": _edits(settings),
        "unlearn_paragraphs": _edits(settings),
        "plant_paragraphs": _plants(shape, settings),
        "score_heads": _further(shape, settings),
        "prefix_features": _features(settings),
        "remove": _removal(shape.n_layers, settings),
    }


def _positions(settings: Settings) -> float:
    """Three groups, from the start, after end-of-text and texts of every length, and shifted."""
    how, length = settings.positions, settings.paragraph.length
    after_text = how.draws * sum(1 + n / length for n in how.lengths)
    return 3 * how.n_paragraphs * (2 + after_text + len(how.lengths))


def _features(settings: Settings) -> float:
    """The prefix alone: once as it is, once without training, and with gradients."""
    how, data, paragraph = settings.detection, settings.data, settings.paragraph
    sampled = min(how.n_repeated + 2 * how.n_others, n_paragraphs(settings))
    if data.source == "embedded":
        sampled = min(data.n_repeated, how.n_repeated)
        sampled += min(data.n_once, how.n_others) + min(data.n_unseen, how.n_others)
    return sampled * paragraph.prefix / paragraph.length * (2 + BACKWARD)


def _ablation(n_heads: int, settings: Settings) -> float:
    """Every head alone costs the layers from its own on, with one of the replacements in pairs; rankings and
    random orders are whole passes."""
    how = settings.head_ablation
    texts = 2 * how.n_paragraphs + how.n_judging
    orders = len((*PAPER_METHODS, COMBINED, *settings.head_ranking.also)) + how.n_random
    alone = n_heads / 2 * (texts * len(get_args(Replacement)) + 2 * settings.sets.n_pairs)
    return alone + texts * orders * len(how.top)


def _bypass(n_layers: int, settings: Settings) -> float:
    """Each block in each of its ways, of one layer and of all from it on; in pairs, of one layer in all ways
    but zeros."""
    how, n_ways = settings.layer_bypass, sum(map(len, BYPASSES.values()))
    texts, pairs = 2 * how.n_paragraphs + how.n_judging, 2 * settings.sets.n_pairs
    return n_layers / 2 * (texts * 2 * n_ways + pairs * (n_ways - len(BYPASSES)))


def _noise(settings: Settings) -> float:
    """Noise of every size on chosen and on random weights, and both zeroed, in every draw."""
    how = settings.weight_noise
    texts = 3 * how.n_paragraphs + how.n_judging
    return BACKWARD * how.n_paragraphs + texts * 2 * how.draws * (len(how.sizes) + 1)


def _edits(settings: Settings) -> float:
    """One of two objectives: steps, the evaluations between them, and the damage afterwards."""
    how = settings.editing
    n_edits = how.n_paragraphs + how.n_swept * (len(how.learning_rates) - 1)
    n_edits += min(how.n_reference, how.n_paragraphs)
    steps = how.steps * BACKWARD * (1 + how.n_controls) + how.steps / how.evaluate_every
    after = how.n_controls + 2 * how.n_judging + how.n_perturbations
    n_arms = len((*PAPER_ARMS, *how.extra_arms))
    return n_arms * n_edits * (steps + after + BACKWARD * how.relearning_limit / 2)


def _removal(n_layers: int, settings: Settings) -> float:
    """Steps of ways that take some, in the sweep, together and one by one; neurons, ranked by paragraphs of
    their own; and the judges of all ways."""
    how = settings.remove
    ranked = {
        "neurons_integrated_gradients": n_layers * INTEGRATION_STEPS,
        "neurons_zero_out": N_CANDIDATES / 2,
        "neurons_hard_concrete": MASK,
    }
    n_ranked = how.n_joint + how.n_single + how.n_validation
    n_stepped = sum(WAYS[way].settings == "unlearning" for way in how.ways)
    stepped = how.n_joint + how.n_keep + how.n_single * (1 + how.n_keep)
    stepped += len(how.unlearning) * (how.n_validation + how.n_keep)
    versions = 1 + how.n_perturbations + len(how.shifts) + BACKWARD * how.relearning_limit / 2
    judged = (how.n_joint + how.n_single) * versions + 3 * how.n_judging * (1 + how.n_single)
    return (
        n_ranked * sum(ranked.get(way, 0) for way in how.ways)
        + n_stepped * how.steps * BACKWARD * stepped
        + len(how.ways) * judged
    )


def _further(shape: Shape, settings: Settings) -> float:
    """Further methods that rank heads are asked about every sampled memorized paragraph."""
    slower = _slow_methods(shape, settings)
    return settings.sets.n_memorized * sum(slower.get(name, BACKWARD) for name in settings.head_ranking.also)


def _plants(shape: Shape, settings: Settings) -> float:
    """Every plant is trained; then it, its levels and its controls are asked about, with every method."""
    how = settings.planted_truth
    steps = how.max_steps * TRAINED_STEPS * BACKWARD * (1 + how.keep)
    planted = 0.0
    for kind in how.kinds:
        unit = PLANT_GRANULARITIES[kind][0]
        questions = 1 + len(how.controls) + (len(how.levels) if unit == "head" else 0)
        asked = _methods(shape, settings, unit)
        curves = 2 * len(asked) * CURVE_POINTS / 2 if how.curves else 0
        checked = how.n_checked_neurons / 2 if unit == "neuron" else 0
        planted += steps + questions * sum(asked.values()) + curves + checked + 4 * how.n_judging
    return how.n_plants * planted


def _methods(shape: Shape, settings: Settings, unit: str) -> dict[str, float]:
    """Passes of every method that is asked which units hold a plant: a gradient, if it is not slower."""
    slower = _slow_methods(shape, settings)
    return {
        name: slower.get(name, BACKWARD)
        for name, method in METHODS.items()
        if unit in method.units and method.asked(settings.planted_truth)
    }


def _slow_methods(shape: Shape, settings: Settings) -> dict[str, float]:
    """Passes of methods that take more than a gradient, and of those that do not run the model."""
    n_heads = shape.n_layers * shape.n_heads
    return {
        "integrated_gradients": shape.n_layers * settings.planted_truth.integration_steps,
        "patching": 4 * n_heads * PATCHED_SHARE,
        "zero_ablation": n_heads / 2,
        "mean_ablation": n_heads / 2,
        "neuron_ablation": shape.n_layers * shape.d_mlp / 2,
        "hard_concrete": MASK,
        "slimming": MASK,
        **dict.fromkeys(("weight_size", "random", "change"), 0),
    }
