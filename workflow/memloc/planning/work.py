"""What each rule runs, by the settings: its kind, which decides its memory, and how many paragraphs pass.

Counts are coarse: within a factor of three for rules that take long; what takes little has one count for all.
Memory is no guarantee: killed jobs are tried again with twice as much. docs/memory.md says what was measured.
"""

import json
import math
import re
from pathlib import Path
from typing import Literal

from memloc.data.text_files import text_files
from memloc.model.families import family
from memloc.settings.capacity import PASSES, TEXTS, VOCABULARY
from memloc.settings.loading import Loading
from memloc.settings.removal_ways import EDITS
from memloc.settings.study import Settings

Kind = Literal["score", "gradients", "edit", "training"]
# Bytes at the peak of a rule, and for each byte of the weights.
NEEDS: dict[Kind, tuple[float, float]] = {
    "score": (1.2e9, 1.2),
    "gradients": (1.9e9, 2.8),  # what autograd keeps
    "edit": (1.0e9, 7.5),  # weights twice, gradients twice, Adam's moments, a step's terms
    "training": (3.5e9, 4),  # weights, gradients, moments; the base holds logits of windows
}
GPT2, UNKNOWN = 124e6, 1.4e9  # parameters of the model of this name, and of one of which nothing is known
HELD = 35e-6  # MB of each token of a text that is read: characters, numbers, and what is known of each
BYTES_OF_A_TOKEN, PACKED = 3.5, 3  # of text, and of code; text is so many times as large as its archive
FEW, TRIALS = 5, 12  # runs of each sample, and of an edit: three arms, some four learning rates each


def works(n_weights: float, settings: Settings) -> dict[str, tuple[Kind, float]]:
    """Kind of every rule that runs a model, and how many paragraphs pass."""
    length, texts, trained = settings.paragraph.length, n_paragraphs(settings), n_tokens(settings)
    sets, ablation, edits, how = settings.sets, settings.head_ablation, settings.editing, settings.remove
    m, compared = sets.n_memorized, sets.n_memorized + sets.n_non_memorized + 2 * sets.n_pairs
    heads = math.sqrt(n_weights) / 75  # of all layers; 0.7 to 3.3 times those of Pythia's models
    ablated = 2 * (ablation.n_paragraphs + sets.n_pairs) + ablation.n_judging
    edited = TRIALS * edits.n_paragraphs * edits.steps * (1 + edits.n_controls)
    removed = how.steps * (how.n_joint + (how.n_single + 1) * (1 + how.n_keep))
    model, per_weight = settings.model, sum(TEXTS) / math.log2(VOCABULARY) * PASSES  # tokens
    sizes = [(12 * model.n_layers * n + VOCABULARY + model.context) * n for n in settings.capacity.widths]
    scanned = settings.data.source == "text" and not settings.data.counts
    return {
        **dict.fromkeys(("train_model", "train_twin", "retrain"), ("training", trained / length)),
        "train_halves": ("training", settings.counterfactual.n_models * trained / length / 2),
        "exchange_places": ("training", settings.n_grown**2),
        "fill_models": ("training", sum(n**2 for n in sizes) * per_weight / max(n_weights, 1) / length),
        "model": ("score", 0),
        "scores": ("score", texts),
        "passages": ("score", 2 * texts * scanned),  # long windows overlap; all their tokens have logits
        "perturbation": ("score", compared * settings.paragraph.prefix * settings.perturbation.draws),
        "patching": ("score", m * heads),
        "ablate_heads": ("score", ablated * (heads + ablation.n_random * len(ablation.top)) / 2),
        **dict.fromkeys(("sets", "score_samples", "attention", "prefix_features"), ("score", FEW * compared)),
        "activation_gradients": ("gradients", FEW * m),
        **dict.fromkeys(("parameter_gradients", "edited_model"), ("edit", FEW * compared)),
        "edit_paragraphs": ("edit", 2 * edited),
        "remove": ("edit", 2 * len({*how.ways} & {*EDITS}) * removed),  # trying settings takes as much again
        "remove_grown": ("edit", 6 * len(EDITS) * removed),  # told three places
        "ask_methods": ("edit", 18 * settings.n_grown * heads),  # of two models, in three models each
    }


def memory(n_weights: float, settings: Settings) -> dict[str, int]:
    """MB that every rule that runs a model asks for; `passages` holds its text, too."""
    rules = works(n_weights, settings)
    asked = {rule: megabytes(kind, n_weights, settings.loading) for rule, (kind, _) in rules.items()}
    asked["passages"] += math.ceil(HELD * n_paragraphs(settings) * settings.paragraph.length)
    return asked


def megabytes(kind: Kind, n_weights: float, loading: Loading) -> int:
    """MB of a machine that a rule of a kind asks for. With `cuda`, it holds the model only during loading."""
    base, per_byte = NEEDS["score" if loading.device == "cuda" and kind != "training" else kind]
    n_bytes = 2 if loading.dtype == "bfloat16" and kind in ("score", "gradients") else 4
    return math.ceil((base + per_byte * n_bytes * n_weights) / 1e6)


def n_parameters(settings: Settings, folder: Path | str) -> float:
    """Parameters of a study's model: by its settings, by the files of its folder, or else by its name.

    Raises:
        InputError: the family is not supported.
    """
    model, config = settings.model, Path(folder) / "config.json"
    if model.source == "embedded":
        return (12 * model.n_layers * model.width + settings.data.vocabulary) * model.width
    if config.is_file():
        values = json.loads(config.read_text())
        family(values["model_type"])
        n_bytes = 2 if "16" in str(values.get("dtype") or values.get("torch_dtype")) else 4
        return sum(file.stat().st_size for file in config.parent.glob("*.safetensors")) / n_bytes
    name = getattr(model, "id", None) or getattr(model, "file", "")
    if said := re.search(r"(\d+(?:\.\d+)?)([mb])\b", name.lower()):
        return float(said[1]) * {"m": 1e6, "b": 1e9}[said[2]]
    return GPT2 if name.endswith("/gpt2") else UNKNOWN


def n_paragraphs(settings: Settings) -> int:
    """Paragraphs before the filters: those of own text by the sizes of its files, unless a setting tells."""
    data, cut = settings.data, math.ceil(n_tokens(settings) / settings.paragraph.length)
    if data.source == "drawn":
        return data.n_paragraphs
    if data.source == "code" and data.n_paragraphs:
        return min(cut, data.n_paragraphs + round(cut * data.held_out))
    return settings.estimate.paragraphs or cut or 15_000  # as many as are published


def n_tokens(settings: Settings) -> float:
    """Tokens of own text by the sizes of its files, of code, of drawn training text; 0 of other data."""
    data = settings.data
    n_bytes = data.megabytes * 1e6 if data.source == "code" else 0.0
    if data.source == "drawn":
        few, many = data.min_repeats, data.max_repeats + 1  # log-uniform
        occurrences = data.n_once + data.n_repeated * (many - few) / math.log(many / few)
        length, context = settings.paragraph.length, settings.model.context
        return occurrences * length * context / (context - length + 1)  # those that a window cuts come again
    if data.source == "text":
        for path in filter(Path.exists, map(Path, text_files(data.files, "data.files", data.encoding))):
            n_bytes += path.stat().st_size * (PACKED if path.suffix in (".gz", ".zst") else 1)
    return n_bytes / BYTES_OF_A_TOKEN
