"""Figures of several models."""

from memloc.figures.catalog.figure_info import FigureInfo

ACROSS_MODELS = (
    FigureInfo(
        "models_memorized",
        "Memorization against the size of the model",
        "across models",
        ("paragraphs", "scores", "sets"),
        only_for="models",
        paragraphs=("id", "text"),
    ),
    FigureInfo(
        "models_repeats",
        "Memorization against repeats, by model",
        "across models",
        ("paragraphs", "scores", "sets"),
        only_for="models",
        paragraphs=("id", "count", "continuation_count"),
    ),
    FigureInfo(
        "models_profiles",
        "Heads and layers by every method, by model",
        "across models",
        ("head_ranking",),
        only_for="models",
    ),
    FigureInfo(
        "models_agreement",
        "Which methods agree across models",
        "across models",
        ("head_ranking", "ranking_agreement"),
        only_for="models",
    ),
    FigureInfo(
        "models_detection",
        "Does a detector of one model work for another",
        "across models",
        ("detection_transfer",),
        only_for="models",
    ),
    FigureInfo(
        "models_claims",
        "Which claims hold for which model",
        "across models",
        ("claims", "head_ranking", "ranking_agreement"),
        only_for="models",
    ),
    FigureInfo(
        "models_checkpoints",
        "When paragraphs become memorized in training",
        "across models",
        ("scores", "sets"),
        only_for="checkpoints",
    ),
)
