"""How much memory each rule that runs the model needs, from the model's shape and the settings alone.

The estimate adds up what is held at the peak: weights and copies of them, gradients, what autograd keeps, the
largest activations of a pass, logits, the rows of large tables, and the process itself. A test compares it
with measured peaks. It is no guarantee: killed jobs are tried again with twice the memory.
"""

import json
import math
from pathlib import Path
from typing import NamedTuple

from memloc.model.families import family
from memloc.model.packed_weights import MOST_PACKED
from memloc.settings.model import PlantedModel
from memloc.settings.study import Settings

PROCESS = 700e6  # bytes: Python, torch, transformers and TransformerLens, tables of a study
ROW = 40  # bytes of one row of a large table while it is made
BYTES = {"float32": 4, "bfloat16": 2}


class Shape(NamedTuple):
    """What of a model's config.json decides how much memory it needs."""

    n_layers: int
    width: int
    n_heads: int
    n_kv_heads: int
    d_head: int
    d_mlp: int
    gated: bool  # three MLP matrices instead of two
    vocabulary: int
    n_positions: int  # rows of a learned position embedding, 0 without one
    tied: bool  # one matrix embeds and unembeds

    @property
    def n_component_weights(self) -> int:
        """W_* weights, of which gradients are taken."""
        attention = 2 * self.width * self.d_head * (self.n_heads + self.n_kv_heads)
        return self.n_layers * (attention + (3 if self.gated else 2) * self.width * self.d_mlp)

    @property
    def n_parameters(self) -> int:
        """All weights, but for biases and norms (under a thousandth)."""
        embeddings = self.vocabulary * (1 if self.tied else 2) + self.n_positions
        return self.n_component_weights + embeddings * self.width


def _gpt(n_layers: int, width: int, n_heads: int, vocabulary: int, n_positions: int = 0) -> Shape:
    heads = (n_heads, n_heads, width // n_heads)
    return Shape(n_layers, width, *heads, 4 * width, False, vocabulary, n_positions, bool(n_positions))


# From the config.json of each model.
HUBBLE = Shape(16, 2048, 32, 8, 64, 8192, True, 50304, 0, False)
PUBLISHED = {
    "EleutherAI/gpt-neo-125m": _gpt(12, 768, 12, 50257, 2048),
    "EleutherAI/gpt-neo-1.3B": _gpt(24, 2048, 16, 50257, 2048),
    "EleutherAI/gpt-neo-2.7B": _gpt(32, 2560, 20, 50257, 2048),
    "openai-community/gpt2": _gpt(12, 768, 12, 50257, 1024),
    "HuggingFaceTB/SmolLM2-135M": Shape(30, 576, 9, 3, 64, 1536, True, 49152, 0, True),
    "EleutherAI/pythia-70m-deduped": _gpt(6, 512, 8, 50304),
    "EleutherAI/pythia-160m-deduped": _gpt(12, 768, 12, 50304),
    "EleutherAI/pythia-410m-deduped": _gpt(24, 1024, 16, 50304),
    "EleutherAI/pythia-1b-deduped": _gpt(16, 2048, 8, 50304),
    "allenai/OLMo-1B-hf": Shape(16, 2048, 16, 16, 128, 8192, True, 50304, 0, True),
    "allegrolab/hubble-1b-100b_toks-perturbed-hf": HUBBLE,
    "allegrolab/hubble-1b-100b_toks-standard-hf": HUBBLE,
    "allenai/OLMo-2-0425-1B": Shape(16, 2048, 16, 16, 128, 8192, True, 100352, 0, False),
    "EleutherAI/pythia-1.4b-deduped": _gpt(24, 2048, 16, 50304),
    "EleutherAI/pythia-2.8b-deduped": _gpt(32, 2560, 32, 50304),
    "EleutherAI/pythia-6.9b-deduped": _gpt(32, 4096, 32, 50432),
    "allenai/Olmo-3-1025-7B": Shape(32, 4096, 32, 32, 128, 11008, True, 100278, 0, False),
    "EleutherAI/pythia-12b-deduped": _gpt(36, 5120, 40, 50688),
}
UNKNOWN = PUBLISHED["EleutherAI/pythia-1.4b-deduped"]


def read_shape(config: Path | str) -> Shape:
    """Shape from a config.json, without importing transformers. InputError: the family is not supported."""
    values = json.loads(Path(config).read_text())

    def first(*names: str, default: int | None = None) -> int:
        found = (values[name] for name in names if values.get(name) is not None)
        return next(found, default)

    width, n_heads = first("hidden_size", "n_embd"), first("num_attention_heads", "n_head", "num_heads")
    kind = family(values["model_type"])
    return Shape(
        n_layers=first("num_hidden_layers", "n_layer", "num_layers"),
        width=width,
        n_heads=n_heads,
        n_kv_heads=first("num_key_value_heads", default=n_heads),
        d_head=first("head_dim", default=width // n_heads),
        d_mlp=first("intermediate_size", "n_inner", default=4 * width),
        gated=kind.gated,
        vocabulary=values["vocab_size"],
        n_positions=first("max_position_embeddings", "n_positions") if kind.learned_positions else 0,
        tied=values.get("tie_word_embeddings", kind.tied),
    )


def shape_of(settings: Settings, folder: Path | str) -> Shape:
    """Shape of a study's model: known by its id, else read from its folder, else that of a 1.4 B model.

    Before a model of the hub that is not in `PUBLISHED` is downloaded, its shape is not known.
    """
    model, config = settings.model, Path(folder) / "config.json"
    if model.source == "embedded":
        shape = _gpt(model.n_layers, model.width, model.n_heads, settings.data.vocabulary)
        return shape._replace(tied=True)
    if model.source == "hub" and model.id in PUBLISHED:
        return PUBLISHED[model.id]
    if model.source == "planted" and model.sha256 == PlantedModel.model_fields["sha256"].default:
        return PUBLISHED["HuggingFaceTB/SmolLM2-135M"]
    return read_shape(config) if config.is_file() else UNKNOWN


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
        return self.shape.n_layers * self.batch * self.n_tokens * self.shape.width * self.size

    @property
    def cache(self) -> float:
        """Keys and values of all layers."""
        per_token = 2 * self.shape.d_head * self.shape.n_kv_heads
        return self.shape.n_layers * self.batch * self.n_tokens * per_token * self.size

    @property
    def sites(self) -> float:
        """Activations of the components that gradients are taken of, in all layers."""
        per_token = (
            2 * self.shape.d_head * (self.shape.n_heads + self.shape.n_kv_heads) + 2 * self.shape.d_mlp
        )
        return self.shape.n_layers * self.batch * self.n_tokens * per_token * self.size

    @property
    def logits(self) -> float:
        """Logits of every continuation token, in single precision."""
        n_continuation = self.settings.paragraph.continuation
        return self.batch * n_continuation * self.shape.vocabulary * 4


def stage_bytes(shape: Shape, settings: Settings) -> dict[str, float]:
    """Bytes at the peak of every rule that runs the model, weights included, the process not."""
    size, paragraph, sets = BYTES[settings.loading.dtype], settings.paragraph, settings.sets
    weights, gradients = shape.n_parameters * size, shape.n_component_weights * size
    packed = weights if settings.loading.device != "cuda" and weights <= MOST_PACKED else 0

    def passes(section: str, batch: int | None = None, n_tokens: int = paragraph.length) -> Passes:
        return Passes(shape, settings, batch or getattr(settings, section).micro_batch, n_tokens)

    def one_position(n_paragraphs: int) -> int:
        return n_paragraphs * shape.n_layers * shape.n_heads * ROW

    screened = size == 4 and not settings.perturbation.nll
    screen = (weights + packed) / 2 if screened else 0
    scores, perturbation, patching = passes("scores"), passes("perturbation"), passes("patching")
    noise = passes("weight_noise")
    activations, ablation = passes("activation_gradients"), passes("head_ablation")
    bypass = passes("layer_bypass")
    attention = passes("attention", n_tokens=paragraph.prefix + 1)
    prefixes = passes("detection", n_tokens=paragraph.prefix)
    positions = passes("positions", n_tokens=paragraph.length + max(settings.positions.lengths))
    n_attended = sets.n_memorized + sets.n_non_memorized + sets.n_rare_tokens
    beyond_weights = {
        "model": 0,
        "scores": packed + scores.layer,
        "sets": packed + scores.layer + scores.cache,
        "perturbation": packed + screen + perturbation.layer + perturbation.cache,
        "token_statistics": packed + scores.layer,
        "score_positions": packed + positions.layer,
        "activation_gradients": activations.kept
        + 2 * activations.sites
        + 8 * paragraph.length * one_position(sets.n_memorized),
        "attention": attention.layer
        + shape.n_layers * attention.attention
        + paragraph.prefix * one_position(n_attended),
        "prefix_features": prefixes.kept + shape.n_layers * prefixes.attention + _features(shape, settings),
        "patching": packed + patching.layer + 2 * passes("patching", batch=1).kept,
        "residual_patching": packed + patching.layer + 2 * passes("patching", batch=1).kept,
        "ablate_heads": packed + ablation.layer + max(2 * ablation.residuals, ablation.cache),
        "bypass_layers": packed + bypass.layer + max(2 * bypass.residuals, bypass.cache),
        "disturb_weights": weights + 4 * gradients + noise.kept,
    }
    needed = {stage: weights + more for stage, more in beyond_weights.items()}
    n_joint = settings.edit_model.n_controls or sets.n_non_memorized
    return needed | {
        "parameter_gradients": _gradient_bytes(shape, settings),
        "edit_paragraphs": _edit_bytes(shape, settings, "editing", settings.editing.n_controls),
        "edited_model": _edit_bytes(shape, settings, "edit_model", n_joint),
        "plant_paragraphs": _planting_bytes(shape, settings),
        "remove": _removal_bytes(shape, settings),
    }


def _features(shape: Shape, settings: Settings) -> float:
    """What detection keeps of all prefixes at all lead times, and the model without training."""
    how = settings.detection
    n_leads, n_layers = len(how.prefix_shares), len(how.layers(shape.n_layers))
    n_paragraphs = how.n_repeated + 2 * how.n_others
    per_lead = (n_layers + 1) * shape.width + 2 * shape.n_layers * shape.n_heads
    return 4 * n_paragraphs * n_leads * per_lead + 4 * shape.n_parameters


def _gradient_bytes(shape: Shape, settings: Settings) -> float:
    """Bytes at the peak of parameter gradients: in single precision, that of the contrastive objective.

    The original weights are held twice; the memorized gradient, Adam's moments and a step's terms.
    """
    settings = _in_single_precision(settings)
    weights, gradients = (n * BYTES["float32"] for n in (shape.n_parameters, shape.n_component_weights))
    passes = Passes(shape, settings, settings.contrastive.micro_batch, settings.paragraph.length)
    return 2 * weights + 6 * gradients + passes.kept + passes.logits


def _removal_bytes(shape: Shape, settings: Settings) -> float:
    """Bytes at the peak of the way that needs most: an edit, or the curvature of every MLP matrix (K-FAC)."""
    how = settings.remove
    edit = _edit_bytes(shape, settings, "remove", how.n_keep)
    if "kfac" not in how.ways:
        return edit
    squares = (3 if shape.gated else 2) * (shape.width**2 + shape.d_mlp**2)
    paragraphs = Passes(shape, _in_single_precision(settings), how.micro_batch, settings.paragraph.length)
    kept = 2 * shape.n_parameters * BYTES["float32"] + paragraphs.kept
    return max(edit, kept + shape.n_layers * squares * 8 + 2 * 8 * shape.d_mlp**2)  # and one sum's terms


def _in_single_precision(settings: Settings) -> Settings:
    loading = settings.loading.model_copy(update={"dtype": "float32"})
    return settings.model_copy(update={"loading": loading})


def _edit_bytes(shape: Shape, settings: Settings, section: str, n_controls: int) -> float:
    """Bytes at the peak of an edit, in single precision whatever `loading.dtype` is.

    The original weights are held twice; gradients also of the first step; Adam's moments and a step's terms.
    """
    settings, size = _in_single_precision(settings), BYTES["float32"]
    weights, gradients = shape.n_parameters * size, shape.n_component_weights * size
    length = settings.paragraph.length
    batch = getattr(settings, section).micro_batch
    controls = Passes(shape, settings, n_controls, length)
    return 2 * weights + 6 * gradients + controls.logits + Passes(shape, settings, batch, length).kept


def _planting_bytes(shape: Shape, settings: Settings) -> float:
    """Bytes at the peak of planting, in single precision whatever `loading.dtype` is.

    The original weights are held twice; the changes, a gradient, its size, and ranks in double precision;
    what enters the layers for kept paragraphs, and their predictions; integrated gradients run one row for
    each of their steps.
    """
    settings, size, how = _in_single_precision(settings), BYTES["float32"], settings.planted_truth
    weights, gradients = shape.n_parameters * size, shape.n_component_weights * size
    rows = max(how.integration_steps, how.keep + 1, how.micro_batch)
    passes = Passes(shape, settings, rows, settings.paragraph.length)
    kept = how.n_kept * settings.paragraph.length * shape.width * size
    predicted = Passes(shape, settings, how.n_kept, settings.paragraph.length).logits
    return 2 * weights + 6 * gradients + passes.kept + 2 * passes.logits + 3 * kept + predicted


def stage_megabytes(shape: Shape, settings: Settings) -> dict[str, int]:
    """Memory of the machine that every rule asks for, in MB.

    Where the model computes on a GPU for certain, the machine's memory holds it only while it is loaded.
    """
    weights = shape.n_parameters * BYTES[settings.loading.dtype]
    needed = {
        stage: weights if settings.loading.device == "cuda" else peak
        for stage, peak in stage_bytes(shape, settings).items()
    }
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
