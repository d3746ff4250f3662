"""Chapters of the report and the summary, and the figures of each, all in reading order."""

from memloc.figures.catalog import FIGURES
from memloc.figures.catalog.figure_info import FigureInfo

CHAPTERS = {
    "Figures of the paper": (
        *(f"fig{number}" for number in range(1, 13)),
        "table1",
        "table2",
    ),
    "What is memorized": (
        "recited",
        "repeats",
        "positions",
        "extraction",
        "detection",
        "min_k",
        "logit_differences",
        "training_curve",
    ),
    "Where it is": (
        "head_ranking",
        "gradient_similarity",
        "activation_bins",
        "activation_similarity",
        "forward_similarity",
        "attention_entropy",
        "rare_token_heads",
        "token_attention",
        "prefix_patching",
        "head_ablation",
        "cumulative_ablation",
        "weight_noise",
        "layer_bypass",
    ),
    "What removing it costs": (
        "editing_tradeoff",
        "edited_weights",
        "editing_robustness",
        "removal",
        "removal_table",
    ),
    "Planted in known places": (
        "planted_recall",
        "planted_precision",
        "planted_curves",
        "planted_rank",
        "planted_needed",
        "planted_recommend",
    ),
    "Claims": ("claims", "stability", "expected", "memorized_agreement"),
    "Across models": (
        "models_memorized",
        "models_repeats",
        "models_profiles",
        "models_agreement",
        "models_detection",
        "models_claims",
        "models_checkpoints",
    ),
}
NUMBERS = {title: number for number, title in enumerate(CHAPTERS, start=2)}  # the explorer is the first
PLACES = {
    name: (title, number) for title, names in CHAPTERS.items() for number, name in enumerate(names, start=1)
}


def numbered(figure: FigureInfo) -> tuple[str, str]:
    """Chapter and place in it of a figure, so that they sort in reading order."""
    title, number = PLACES[figure.name]
    return f"{NUMBERS[title]} {title}", f"{number:02}"


def chapters(names: set[str]) -> dict[str, list[FigureInfo]]:
    """The figures that are named, by chapter; chapters without any are left out."""
    known = {figure.name: figure for figure in FIGURES}
    shown = {title: [known[name] for name in figures if name in names] for title, figures in CHAPTERS.items()}
    return {title: figures for title, figures in shown.items() if figures}
