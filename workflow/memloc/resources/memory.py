"""The memory that each rule needs to run the model, from the model's shape and the settings alone.

The estimate adds up everything that is held at the peak: weights and copies of them, gradients, tensors that
autograd keeps, the largest activations of a pass, logits, the rows of large tables, and the process itself. A
test compares it with measured peaks. It is no guarantee: killed jobs are tried again with twice the memory.
"""

import math
from typing import NamedTuple

from memloc.resources.shapes import Shape
from memloc.settings.study import Settings

PROCESS = 700e6  # bytes: Python, torch, transformers and TransformerLens, tables of a study
ROW = 40  # bytes of one row of a large table while it is made
BYTES = {"float32": 4, "bfloat16": 2}
# Rules that take no gradients: the section that sets their micro-batch, and whether they hold tensors of all
# layers.
SECTIONS = {
    "scores": ("scores", False),
    "sets": ("scores", True),
    "token_statistics": ("scores", False),
    "score_samples": ("positions", True),
    "perturbation": ("perturbation", True),
    "patching": ("patching", False),
    "ablate_heads": ("head_ablation", True),
    "bypass_layers": ("layer_bypass", True),
}
# Rules that need as much as another one.
LIKE = {
    "unlearn_paragraphs": "edit_paragraphs",
    "remove_grown": "remove",
}


class Passes(NamedTuple):
    """Bytes that passes over some paragraphs hold."""

    attention: float  # the attention pattern of one layer
    layer: float  # all activations of one layer
    kept: float  # activations of all layers for autograd; with checkpointing, their inputs and one layer
    cache: float  # keys and values of all layers, or the residual streams that enter and leave them
    sites: float  # q, k, v, z, pre and post of all layers
    logits: float  # logits of every continuation token, in single precision


def passes(shape: Shape, settings: Settings, batch: int, n_tokens: int | None = None) -> Passes:
    """Bytes of passes over `batch` rows of `n_tokens` tokens; by default of whole paragraphs."""
    size, n_tokens = BYTES[settings.loading.dtype], n_tokens or settings.paragraph.length
    activations = batch * n_tokens * size  # one number for every token
    attention = activations * shape.n_heads * n_tokens
    # Residual stream, q, k, v, z and the MLP; scores before and after softmax.
    layer = activations * (8 * shape.width + (4 if shape.gated else 3) * shape.d_mlp) + 3 * attention
    residuals = shape.n_layers * activations * shape.width
    d_sites = 2 * shape.d_head * (shape.n_heads + shape.n_kv_heads) + 2 * shape.d_mlp
    return Passes(
        attention=attention,
        layer=layer,
        kept=residuals + 2 * layer if settings.loading.checkpointing else shape.n_layers * layer,
        cache=max(2 * residuals, shape.n_layers * activations * 2 * shape.d_head * shape.n_kv_heads),
        sites=shape.n_layers * activations * d_sites,
        logits=batch * settings.paragraph.continuation * shape.vocabulary * 4,
    )


def stage_bytes(shape: Shape, settings: Settings) -> dict[str, float]:
    """Peak bytes of every rule that runs the model, with its weights but without the process."""
    found = {"model": _weights(shape, settings)}
    for kind in KINDS.values():
        found |= kind(shape, settings)
    return found | {rule: found[other] for rule, other in LIKE.items()}


def _weights(shape: Shape, settings: Settings) -> float:
    return shape.n_parameters * BYTES[settings.loading.dtype]


def _without_gradients(shape: Shape, settings: Settings) -> dict[str, float]:
    """Rules that take no gradients."""
    weights = _weights(shape, settings)
    longest = settings.paragraph.length + max(settings.positions.lengths)
    found = {}
    for rule, (section, all_layers) in SECTIONS.items():
        n_tokens = longest if section == "positions" else None
        run = passes(shape, settings, getattr(settings, section).micro_batch, n_tokens)
        found[rule] = weights + run.layer + (run.cache if all_layers else 0)
        if section == "patching":
            found[rule] += 2 * passes(shape, settings, 1).kept
    prefixes = passes(shape, settings, settings.detection.micro_batch, settings.paragraph.prefix)
    found["prefix_features"] = weights + prefixes.layer + _features(shape, settings)
    return found


def _with_gradients(shape: Shape, settings: Settings) -> dict[str, float]:
    """Rules that take gradients or every head's attention, and their large tables; noise moves weights."""
    weights, prefix, sets = _weights(shape, settings), settings.paragraph.prefix, settings.sets
    gradients = shape.n_component_weights * BYTES[settings.loading.dtype]
    row = shape.n_layers * shape.n_heads * ROW  # rows of all heads at one position
    activations = passes(shape, settings, settings.activation_gradients.micro_batch)
    attention = passes(shape, settings, settings.attention.micro_batch, prefix + 1)
    noised = passes(shape, settings, settings.weight_noise.micro_batch)
    n_attended = sets.n_memorized + sets.n_non_memorized + sets.n_rare_tokens + 2 * sets.n_pairs
    positions = 8 * settings.paragraph.length * sets.n_memorized
    patterns = attention.layer + shape.n_layers * attention.attention
    return {
        "activation_gradients": weights + activations.kept + 2 * activations.sites + positions * row,
        "attention": weights + patterns + prefix * n_attended * row,
        "disturb_weights": 2 * weights + 4 * gradients + noised.kept,
    }


def _features(shape: Shape, settings: Settings) -> float:
    """Features of detection for all prefixes at all lead times, and the untrained model."""
    how = settings.detection
    n_paragraphs = how.n_repeated + 2 * how.n_others
    return 4 * n_paragraphs * len(how.prefix_shares) * 2 * shape.width + 4 * shape.n_parameters


def _with_moving_weights(shape: Shape, settings: Settings) -> dict[str, float]:
    """Rules that move weights, in single precision whatever `loading.dtype` is.

    All weights are held twice. Six more tensors of the W_* weights are held: gradients of a step and of the
    first one, Adam's moments and a step's terms. Objectives need the original model's logits of all
    paragraphs that are kept.
    """
    loading = settings.loading.model_copy(update={"dtype": "float32"})
    settings = settings.model_copy(update={"loading": loading})
    moved = 4 * (2 * shape.n_parameters + 6 * shape.n_component_weights)

    def edit(section: str, n_kept: int) -> float:
        run = passes(shape, settings, getattr(settings, section).micro_batch)
        return moved + run.kept + passes(shape, settings, n_kept).logits

    removal = edit("remove", settings.remove.n_keep)
    if "kfac" in settings.remove.ways:
        removal = max(removal, 8 * shape.n_parameters + _curvature(shape, settings))
    return {
        "parameter_gradients": edit("contrastive", settings.contrastive.micro_batch),
        "edit_paragraphs": edit("editing", settings.editing.n_controls),
        "edited_model": edit("edit_model", settings.edit_model.n_controls or settings.sets.n_non_memorized),
        "ask_methods": _asking(shape, settings),
        "remove": removal,
    }


def _curvature(shape: Shape, settings: Settings) -> float:
    """K-FAC's two factors of every MLP matrix, in double precision, and the terms of one of their sums."""
    squares = (3 if shape.gated else 2) * (shape.width**2 + shape.d_mlp**2)
    factors = 8 * (shape.n_layers * squares + 2 * shape.d_mlp**2)
    return passes(shape, settings, settings.remove.micro_batch).kept + factors


def _asking(shape: Shape, settings: Settings) -> float:
    """The twins and the gradients of a model; integrated gradients run a row per step."""
    how = settings.grown_truth
    run = passes(shape, settings, max(how.integration_steps, how.micro_batch))
    weights = 4 * (3 * shape.n_parameters + 4 * shape.n_component_weights)
    return weights + run.kept + 2 * run.logits


def stage_megabytes(shape: Shape, settings: Settings) -> dict[str, int]:
    """The machine's memory that every rule asks for, in MB.

    With `loading.device: cuda`, the machine's memory holds the model only during loading.
    """
    needed = stage_bytes(shape, settings)
    if settings.loading.device == "cuda":
        needed = dict.fromkeys(needed, needed["model"])
    return {stage: math.ceil((PROCESS + peak) / 1e6) for stage, peak in needed.items()}


KINDS = {
    "without gradients": _without_gradients,
    "gradients": _with_gradients,
    "moving weights": _with_moving_weights,
}
"""By kind of rules: the function that estimates the peak bytes of each."""
