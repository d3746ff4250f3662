"""How much memory each rule that runs the model needs, from the model's shape and the settings alone.

The estimate adds up what is held at the peak: weights and copies of them, gradients, what autograd keeps, the
largest activations of a pass, logits, the rows of large tables, and the process itself. A test compares it
with measured peaks. It is no guarantee: killed jobs are tried again with twice the memory.
"""

import math
from typing import NamedTuple

from memloc.model.packed_weights import MOST_PACKED
from memloc.resources.shapes import PUBLISHED, Shape
from memloc.settings.study import Settings

PROCESS = 700e6  # bytes: Python, torch, transformers and TransformerLens, tables of a study
ROW = 40  # bytes of one row of a large table while it is made
BYTES = {"float32": 4, "bfloat16": 2}


class Passes(NamedTuple):
    """Bytes of the parts of forward and backward passes over `batch` paragraphs of `n_tokens` tokens."""

    shape: Shape
    settings: Settings
    batch: int
    n_tokens: int

    @property
    def size(self) -> int:
        """Bytes of an activation."""
        return BYTES[self.settings.loading.dtype]

    @property
    def attention(self) -> float:
        """Attention pattern of one layer."""
        return self.batch * self.shape.n_heads * self.n_tokens**2 * self.size

    @property
    def layer(self) -> float:
        """What one layer computes: residual stream, q, k, v, z, MLP, and scores before and after softmax."""
        shape = self.shape
        per_token = 8 * shape.width + (4 if shape.gated else 3) * shape.d_mlp
        return self.batch * self.n_tokens * per_token * self.size + 3 * self.attention

    @property
    def kept(self) -> float:
        """What autograd keeps of all layers; with checkpointing, their inputs and one layer."""
        if self.settings.loading.checkpointing:
            return self.residuals + 2 * self.layer
        return self.shape.n_layers * self.layer

    @property
    def residuals(self) -> float:
        """The residual stream that enters every layer."""
        return self._in_all_layers(self.shape.width)

    @property
    def cache(self) -> float:
        """Keys and values of all layers."""
        return self._in_all_layers(2 * self.shape.d_head * self.shape.n_kv_heads)

    @property
    def sites(self) -> float:
        """Activations of the components that gradients are taken of, in all layers."""
        shape = self.shape
        return self._in_all_layers(2 * shape.d_head * (shape.n_heads + shape.n_kv_heads) + 2 * shape.d_mlp)

    def _in_all_layers(self, per_token: int) -> float:
        return self.shape.n_layers * self.batch * self.n_tokens * per_token * self.size

    @property
    def logits(self) -> float:
        """Logits of every continuation token, in single precision."""
        return self.batch * self.settings.paragraph.continuation * self.shape.vocabulary * 4


def stage_bytes(shape: Shape, settings: Settings) -> dict[str, float]:
    """Bytes at the peak of every rule that runs the model, weights included, the process not."""
    return (
        {"model": _weights(shape, settings)}
        | _without_gradients(shape, settings)
        | _with_gradients(shape, settings)
        | _with_moving_weights(shape, _in_single_precision(settings))
    )


def _weights(shape: Shape, settings: Settings) -> float:
    return shape.n_parameters * BYTES[settings.loading.dtype]


def _passes(shape: Shape, settings: Settings, section: str, n_tokens: int | None = None) -> Passes:
    """Passes over as many rows at a time as a section says, of whole paragraphs by default."""
    batch = getattr(settings, section).micro_batch
    return Passes(shape, settings, batch, n_tokens or settings.paragraph.length)


def _without_gradients(shape: Shape, settings: Settings) -> dict[str, float]:
    """Rules that take none. On a processor, they hold the weights of small models twice."""
    weights = _weights(shape, settings)
    if settings.loading.device != "cuda" and weights <= MOST_PACKED:
        weights *= 2
    screened = settings.loading.dtype == "float32" and not settings.perturbation.nll
    screen = weights / 2 if screened else 0
    sections = "scores", "perturbation", "patching", "head_ablation", "layer_bypass"
    scores, perturbation, patching, *without = (_passes(shape, settings, section) for section in sections)
    longest = settings.paragraph.length + max(settings.positions.lengths)
    patched = patching.layer + 2 * patching._replace(batch=1).kept
    heads, blocks = (run.layer + max(2 * run.residuals, run.cache) for run in without)
    beyond_weights = {
        "scores": scores.layer,
        "sets": scores.layer + scores.cache,
        "perturbation": screen + perturbation.layer + perturbation.cache,
        "token_statistics": scores.layer,
        "score_positions": _passes(shape, settings, "positions", longest).layer,
        "patching": patched,
        "residual_patching": patched,
        "ablate_heads": heads,
        "bypass_layers": blocks,
    }
    return {rule: weights + more for rule, more in beyond_weights.items()}


def _with_gradients(shape: Shape, settings: Settings) -> dict[str, float]:
    """Rules that take gradients, or every head's attention, and large tables of them. Noise moves weights."""
    weights, prefix = _weights(shape, settings), settings.paragraph.prefix
    gradients = shape.n_component_weights * BYTES[settings.loading.dtype]
    sets, row = settings.sets, shape.n_layers * shape.n_heads * ROW  # of all heads, at one position
    activations = _passes(shape, settings, "activation_gradients")
    attention = _passes(shape, settings, "attention", prefix + 1)
    prefixes = _passes(shape, settings, "detection", prefix)
    n_attended = sets.n_memorized + sets.n_non_memorized + sets.n_rare_tokens + 2 * sets.n_pairs
    patterns = attention.layer + shape.n_layers * attention.attention
    features = prefixes.kept + shape.n_layers * prefixes.attention + _features(shape, settings)
    return {
        "activation_gradients": weights
        + activations.kept
        + 2 * activations.sites
        + 8 * settings.paragraph.length * sets.n_memorized * row,
        "attention": weights + patterns + prefix * n_attended * row,
        "prefix_features": weights + features,
        "disturb_weights": 2 * weights + 4 * gradients + _passes(shape, settings, "weight_noise").kept,
    }


def _features(shape: Shape, settings: Settings) -> float:
    """What detection keeps of all prefixes at all lead times, and the model without training."""
    how = settings.detection
    n_leads, n_layers = len(how.prefix_shares), len(how.layers(shape.n_layers))
    n_paragraphs = how.n_repeated + 2 * how.n_others
    per_lead = (n_layers + 1) * shape.width + 2 * shape.n_layers * shape.n_heads
    return 4 * n_paragraphs * n_leads * per_lead + 4 * shape.n_parameters


def _in_single_precision(settings: Settings) -> Settings:
    loading = settings.loading.model_copy(update={"dtype": "float32"})
    return settings.model_copy(update={"loading": loading})


def _with_moving_weights(shape: Shape, settings: Settings) -> dict[str, float]:
    """Rules that move weights, in single precision whatever `loading.dtype` is.

    The original weights are held twice. Gradients are those of a step and of the first one, Adam's moments
    and a step's terms. Objectives need the original model's logits of all paragraphs that are kept.
    """
    weights, gradients = (n * BYTES["float32"] for n in (shape.n_parameters, shape.n_component_weights))
    moved, n_joint = 2 * weights + 6 * gradients, settings.edit_model.n_controls

    def edit(section: str, n_controls: int) -> float:
        passes = _passes(shape, settings, section)
        return moved + passes.kept + passes._replace(batch=n_controls).logits

    removal = edit("remove", settings.remove.n_keep)
    if "kfac" in settings.remove.ways:
        removal = max(removal, 2 * weights + _curvature(shape, settings))
    return {
        "parameter_gradients": edit("contrastive", settings.contrastive.micro_batch),
        "edit_paragraphs": edit("editing", settings.editing.n_controls),
        "edited_model": edit("edit_model", n_joint or settings.sets.n_non_memorized),
        "plant_paragraphs": moved + _planting(shape, settings),
        "remove": removal,
    }


def _curvature(shape: Shape, settings: Settings) -> float:
    """Both factors of every MLP matrix in double precision (K-FAC), and the terms of one of their sums."""
    squares = (3 if shape.gated else 2) * (shape.width**2 + shape.d_mlp**2)
    return _passes(shape, settings, "remove").kept + 8 * (shape.n_layers * squares + 2 * shape.d_mlp**2)


def _planting(shape: Shape, settings: Settings) -> float:
    """What enters the layers for kept paragraphs, and their predictions; integrated gradients run one row for
    each of their steps."""
    how = settings.planted_truth
    rows = max(how.integration_steps, how.keep + 1, how.micro_batch)
    passes = Passes(shape, settings, rows, settings.paragraph.length)
    entering = how.n_kept * settings.paragraph.length * shape.width * BYTES["float32"]
    return passes.kept + 2 * passes.logits + 3 * entering + passes._replace(batch=how.n_kept).logits


def stage_megabytes(shape: Shape, settings: Settings) -> dict[str, int]:
    """Memory of the machine that every rule asks for, in MB.

    Where the model computes on a GPU for certain, the machine's memory holds it only while it is loaded.
    """
    needed = stage_bytes(shape, settings)
    if settings.loading.device == "cuda":
        needed = dict.fromkeys(needed, needed["model"])
    return {stage: math.ceil((PROCESS + peak) / 1e6) for stage, peak in needed.items()}


def table(dtype: str, checkpointing: bool) -> str:
    """Markdown table: GB that every rule needs for each published model, with the default settings."""
    loading = {"dtype": dtype, "checkpointing": checkpointing}
    sources = {"data": {"source": "release"}, "model": {"source": "hub"}}
    settings = Settings.model_validate({"study": "any", "loading": loading, **sources})
    needed = {name: stage_bytes(shape, settings) for name, shape in PUBLISHED.items()}
    stages = list(next(iter(needed.values())))
    rows = [f"| model | {' | '.join(f'`{stage}`' for stage in stages)} |", "|---" * (len(stages) + 1) + "|"]
    for name, peaks in needed.items():
        cells = " | ".join(f"{(PROCESS + peaks[stage]) / 1e9:.1f}" for stage in stages)
        rows.append(f"| {name.split('/')[1]} | {cells} |")
    return "\n".join(rows) + "\n"
