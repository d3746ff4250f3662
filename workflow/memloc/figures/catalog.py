"""The figures and rendered tables by chapter: names, titles, places in the paper, and the tables they read.

Chapters and figures are in reading order, which report, figures.html and docs/figures.md follow. Imports
nothing heavy: the Snakefile reads it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class FigureInfo:
    """One figure (or rendered table); module memloc.figures.<name> draws it."""

    name: str
    title: str
    tables: tuple[str, ...]
    section: str = "extended"  # section and figure of the paper
    settings: tuple[str, ...] = ()  # sections that it reads besides `highlight`
    only_for: str | None = None  # what a study must have: a source of data or model, `runs`, `models`, ..
    paragraphs: tuple[str, ...] = ("id", "tokens")  # columns that it reads of table paragraphs
    page: bool = False  # whether a page (HTML) is beside it

    @property
    def sections(self) -> tuple[str, ...]:
        """Sections of settings that its script reads; a ranking beside other tables outlines a head."""
        outlines = "head_ranking" in self.tables and len(self.tables) > 1
        return (*self.settings, "highlight") if outlines else self.settings


EXAMPLE = ("paragraphs", "vocabulary", "perturbation")  # of an example's tokens

CHAPTERS: dict[str, tuple[FigureInfo, ...]] = {
    "Figures of the paper": (
        FigureInfo(
            "fig1", "The study at a glance", ("sets", "perturbed_paragraphs", "head_ranking"), "1, Figure 1"
        ),
        FigureInfo("fig2", "NLL and exact match of all paragraphs", ("scores", "sets"), "3.2, Figure 2"),
        FigureInfo("fig3", "Replacing one token of the prefix", EXAMPLE, "4, Figure 3"),
        FigureInfo(
            "fig4",
            "Gradients of the weights, and contrastive ones",
            ("parameter_gradients", "sets", "head_ranking"),
            "5.1 and 5.2, Figure 4",
        ),
        FigureInfo(
            "fig5", "Sparse unlearning and editing", ("edits",), "5.3, Figure 5", settings=("editing",)
        ),
        FigureInfo(
            "fig6",
            "Value gradients and attention over a prefix's tokens",
            ("activation_gradients", "attention", *EXAMPLE, "perturbed_paragraphs", "head_ranking"),
            "6.1 and 6.2, Figure 6",
        ),
        FigureInfo(
            "fig7",
            "Attention to tokens by their rarity",
            ("rare_tokens", "rare_token_correlation", "head_ranking"),
            "6.3, Figure 7",
        ),
        FigureInfo(
            "fig8",
            "How often paragraphs occur, and their exact match",
            ("paragraphs", "scores", "sets"),
            "A.1, Figure 8",
            paragraphs=("id", "count"),
        ),
        FigureInfo(
            "fig9",
            "Gradients of the weights over four bins of exact match",
            ("parameter_gradients", "sets", "head_ranking"),
            "A.2, Figure 9",
        ),
        FigureInfo(
            "fig10",
            "Query and key gradients at the perturbed and the impact token",
            ("impact_gradients", "head_ranking"),
            "A.2, Figure 10",
        ),
        FigureInfo(
            "fig11",
            "Two-way activation patching at the perturbed token",
            ("patching", "perturbed_paragraphs", "head_ranking"),
            "A.3, Figure 11",
        ),
        FigureInfo(
            "fig12",
            "A second perturbed example, and the attention of another layer",
            ("attention", *EXAMPLE, "perturbed_paragraphs", "head_ranking"),
            "A.3, Figure 12",
        ),
        FigureInfo(
            "table1",
            "Memorized paragraphs",
            ("paragraphs", "vocabulary", "scores", "sets"),
            "A.1, Table 1",
            paragraphs=("id", "count", "tokens"),
            page=True,
        ),
        FigureInfo(
            "table2",
            "Perturbed memorized paragraphs",
            ("perturbed_paragraphs", "paragraphs", "vocabulary"),
            "4 and A.2, Table 2",
            page=True,
        ),
    ),
    "What is memorized": (
        FigureInfo(
            "recited",
            "Passages of this text that the model recites",
            ("recited", "texts"),
            settings=("data",),
            only_for="places",
            page=True,
        ),
        FigureInfo(
            "repeats",
            "Memorization against repeats",
            ("paragraphs", "sets", "scores"),
            paragraphs=("id", "count", "continuation_count", "longest_run"),
        ),
        FigureInfo(
            "when_learned",
            "Memorization against when a paragraph was last seen",
            ("training_stream", "occurrences", "paragraphs", "sets"),
            settings=("model",),
            only_for="embedded",
            paragraphs=("id", "count", "continuation_count"),
        ),
        FigureInfo(
            "near_copies",
            "What a copy that differs a little is worth",
            ("near_copies", "copy_worth", "scores"),
            only_for="trained",
        ),
        FigureInfo("positions", "Recitation at other positions and after other text", ("positions",)),
        FigureInfo(
            "extraction",
            "What comes out under sampling, and after how many draws",
            ("extraction", "scores", "sets"),
        ),
        FigureInfo(
            "detection", "Recitation detected from the prefix, before anything is decoded", ("detection",)
        ),
        FigureInfo(
            "counterfactual",
            "Models that never saw a paragraph",
            ("counterfactual", "half_scores"),
            only_for="halves",
        ),
        FigureInfo(
            "capacity", "How many bits of random tokens a model holds", ("capacity",), only_for="capacity"
        ),
    ),
    "Where it is": (
        FigureInfo("head_ranking", "Do the methods agree on the heads", ("head_ranking",)),
        FigureInfo(
            "equal_exposure",
            "Memorized and other paragraphs that occur equally often",
            ("sets", "paragraph_gradients", "head_ablation", "layer_bypass", "head_ranking"),
        ),
        FigureInfo(
            "kinds",
            "Memories and what a rule gets, too",
            (
                *("kinds", "near_copies", "scores", "sets"),
                *("paragraph_gradients", "head_ablation", "perturbation"),
            ),
            only_for="trained",
        ),
        FigureInfo("cumulative_ablation", "Do the rankings find heads that matter", ("cumulative_ablation",)),
    ),
    "What removing it costs": (
        FigureInfo(
            "removal",
            "Ways to remove recitation, by every judge",
            ("removal", "removal_damage"),
            only_for="removal",
        ),
    ),
    "Memories in known places": (
        FigureInfo(
            "grown_precision",
            "Average precision of every method, next to a twin's",
            ("grown_truth",),
            only_for="grown",
        ),
        FigureInfo("twins", "Is a grown memory where it grew", ("twins",), only_for="grown"),
        FigureInfo(
            "removal_of_grown", "Do removals hit the place", ("removal_of_grown",), only_for="grown_removed"
        ),
    ),
    "Claims": (
        FigureInfo(
            "claims_by_run", "Claims over models, or over seeds", ("claims",), only_for="runs", page=True
        ),
        FigureInfo(
            "expected", "Published numbers and this run's", ("expected",), only_for="expected", page=True
        ),
    ),
    "Across models": (
        FigureInfo(
            "models_memorized",
            "Memorization against the size of the model and the repeats of a paragraph",
            ("paragraphs", "scores", "sets"),
            "across models",
            only_for="models",
            paragraphs=("id", "text", "count", "continuation_count"),
        ),
        FigureInfo(
            "models_checkpoints",
            "When paragraphs become memorized in training",
            ("scores", "sets"),
            "across models",
            only_for="checkpoints",
        ),
    ),
}
FIGURES = tuple(figure for figures in CHAPTERS.values() for figure in figures)

_NUMBERS = {title: number for number, title in enumerate(CHAPTERS, start=2)}  # the explorer is the first


def numbered(figure: FigureInfo) -> tuple[str, str]:
    """Chapter of a figure and its place there, as texts that sort in reading order."""
    title = next(title for title, figures in CHAPTERS.items() if figure in figures)
    return f"{_NUMBERS[title]} {title}", f"{CHAPTERS[title].index(figure) + 1:02}"


def chapters(names: set[str]) -> dict[str, list[FigureInfo]]:
    """The named figures by chapter, without empty chapters."""
    shown = {title: [each for each in figures if each.name in names] for title, figures in CHAPTERS.items()}
    return {title: figures for title, figures in shown.items() if figures}
