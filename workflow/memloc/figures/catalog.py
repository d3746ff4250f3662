"""The list of figures and tables to look at: names, titles, where they are in the paper, what they read.

Imports nothing heavy: the Snakefile, the table in docs/figures.md and the tests read it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class FigureInfo:
    """One figure (or rendered table); module memloc.figures.<name> draws it."""

    name: str
    title: str
    section: str
    tables: tuple[str, ...]
    settings: tuple[str, ...] = ()
    only_for: str | None = None  # source of data or model, comparison, `models`, `checkpoints`, .. it needs
    paragraphs: tuple[str, ...] = ()  # columns of table paragraphs that the figure needs, which may be long
    shown: str | None = None  # table whose paragraphs are the only ones that it needs
    stored: str | None = None  # table that holds the rows of its CSV


OF_PLANTS = ("plants", "curves of plants", "levels of plants")  # `only_for` of figures of planted truth
ON_REQUEST = (*OF_PLANTS, "removal")  # `only_for` of figures that a study's settings ask for
FIGURES = (
    FigureInfo(
        "fig1",
        "The study at a glance",
        "1, Figure 1",
        ("sets", "perturbed_paragraphs", "head_ranking"),
        settings=("highlight",),
    ),
    FigureInfo(
        "fig2",
        "NLL and exact match of all paragraphs",
        "3.2, Figure 2",
        ("scores", "sets"),
        settings=("sets",),
    ),
    FigureInfo(
        "fig3",
        "Replacing one token of the prefix",
        "4, Figure 3",
        ("perturbation", "paragraphs", "vocabulary"),
        paragraphs=("id", "tokens"),
        shown="perturbation",
    ),
    FigureInfo(
        "fig4",
        "Gradients of the weights, and contrastive ones",
        "5.1 and 5.2, Figure 4",
        ("parameter_gradients", "sets", "head_ranking"),
        settings=("highlight", "contrastive"),
    ),
    FigureInfo("fig5", "Sparse unlearning and editing", "5.3, Figure 5", ("edits",), ("editing", "sets")),
    FigureInfo(
        "fig6",
        "Value gradients and attention over a prefix's tokens",
        "6.1 and 6.2, Figure 6",
        (
            "activation_gradients",
            "attention",
            "paragraphs",
            "vocabulary",
            "perturbation",
            "perturbed_paragraphs",
            "head_ranking",
        ),
        settings=("highlight",),
        paragraphs=("id", "tokens"),
        shown="perturbation",
    ),
    FigureInfo(
        "fig7",
        "Attention to tokens by their rarity",
        "6.3, Figure 7",
        ("rare_tokens", "rare_token_correlation", "head_ranking"),
        settings=("highlight",),
    ),
    FigureInfo(
        "fig8",
        "How often paragraphs occur, and their exact match",
        "A.1, Figure 8",
        ("paragraphs", "scores", "sets"),
        paragraphs=("id", "count"),
        settings=("sets",),
    ),
    FigureInfo(
        "fig9",
        "Gradients of the weights over four bins of exact match",
        "A.2, Figure 9",
        ("parameter_gradients", "sets", "head_ranking"),
        settings=("highlight", "sets"),
    ),
    FigureInfo(
        "fig10",
        "Query and key gradients at the perturbed and the impact token",
        "A.2, Figure 10",
        ("impact_gradients", "head_ranking"),
        settings=("highlight",),
    ),
    FigureInfo(
        "fig11",
        "Two-way activation patching at the perturbed token",
        "A.3, Figure 11",
        ("patching", "attribution_patching", "perturbed_paragraphs", "head_ranking"),
        settings=("highlight",),
    ),
    FigureInfo(
        "fig12",
        "A second perturbed example, and the attention of another layer",
        "A.3, Figure 12",
        (
            "sets",
            "attention",
            "paragraphs",
            "vocabulary",
            "perturbation",
            "perturbed_paragraphs",
            "head_ranking",
        ),
        settings=("highlight",),
        paragraphs=("id", "tokens"),
        shown="perturbation",
    ),
    FigureInfo(
        "table1",
        "Memorized paragraphs",
        "A.1, Table 1",
        ("paragraphs", "vocabulary", "scores", "sets"),
        paragraphs=("id", "count", "tokens"),
        shown="sets",
    ),
    FigureInfo(
        "recited",
        "Paragraphs of this text that the model recites",
        "extended",
        ("paragraphs", "vocabulary", "scores", "sets", "near_verbatim"),
        settings=("recited",),
        only_for="text",
        paragraphs=("id", "count", "tokens"),
        shown="near_verbatim",
        stored="recited",
    ),
    FigureInfo(
        "table2",
        "Perturbed memorized paragraphs",
        "4 and A.2, Table 2",
        ("perturbed_paragraphs", "paragraphs", "vocabulary"),
        paragraphs=("id", "tokens"),
        shown="perturbed_paragraphs",
    ),
    FigureInfo(
        "repeats",
        "Memorization against repeats",
        "extended",
        ("paragraphs", "sets", "scores"),
        paragraphs=("id", "count", "continuation_count"),
    ),
    FigureInfo(
        "extraction",
        "What comes out under sampling, and after how many draws",
        "extended",
        ("extraction", "scores", "sets", "paragraphs"),
        paragraphs=("id", "count", "continuation_count"),
    ),
    FigureInfo(
        "detection",
        "Recitation detected from the prefix, before anything is decoded",
        "extended",
        ("detection",),
    ),
    FigureInfo(
        "training_curve",
        "Training of the embedded or planted model",
        "extended",
        ("training_curve",),
        only_for="embedded",
    ),
    FigureInfo(
        "gradient_similarity",
        "Similarity of memorized and non-memorized gradients",
        "extended",
        ("gradient_similarity", "head_ranking"),
        settings=("highlight",),
    ),
    FigureInfo(
        "activation_bins",
        "Activation gradients over four bins of exact match",
        "extended",
        ("activation_bins", "head_ranking"),
        settings=("highlight", "sets"),
    ),
    FigureInfo(
        "activation_similarity",
        "Similarity of memorized and non-memorized activation gradients",
        "extended",
        ("activation_similarity", "head_ranking"),
        settings=("highlight",),
    ),
    FigureInfo(
        "forward_similarity",
        "Similarity of the activations of memorized and perturbed paragraphs",
        "extended",
        ("forward_similarity", "head_ranking"),
        settings=("highlight",),
    ),
    FigureInfo(
        "attention_entropy",
        "How evenly heads spread their attention",
        "extended",
        ("attention_entropy", "sets", "head_ranking"),
        settings=("highlight",),
    ),
    FigureInfo(
        "rare_token_heads",
        "Rare-token correlation of every head",
        "extended",
        ("rare_token_correlation", "head_ranking"),
        settings=("highlight",),
    ),
    FigureInfo(
        "token_attention",
        "Tokens that the highlighted head attends to most",
        "extended",
        ("token_attention", "vocabulary", "head_ranking"),
        settings=("highlight",),
    ),
    FigureInfo(
        "prefix_patching",
        "Patching of every position and layer",
        "extended",
        ("residual_patching", "perturbed_paragraphs", "vocabulary"),
    ),
    FigureInfo("min_k", "Least likely tokens", "extended", ("token_statistics",), settings=("min_k",)),
    FigureInfo(
        "logit_differences", "Lead of the first choice over the second", "extended", ("token_statistics",)
    ),
    FigureInfo(
        "head_ranking",
        "Rank of every head by every method",
        "extended",
        ("head_ranking", "head_rank_samples", "ranking_agreement", "patching"),
        settings=("highlight",),
    ),
    FigureInfo("editing_tradeoff", "What unlearning and editing cost", "extended", ("edit_trajectories",)),
    FigureInfo(
        "edited_weights",
        "Weights that edits change, and those of the authors' code",
        "extended",
        ("edits",),
        settings=("editing",),
    ),
    FigureInfo(
        "editing_robustness",
        "Do unlearned paragraphs come back",
        "extended",
        ("edits",),
        settings=("editing",),
    ),
    FigureInfo(
        "head_ablation",
        "What heads do for memorized paragraphs alone",
        "extended",
        ("head_effects", "head_ablation", "head_ranking"),
        settings=("highlight",),
    ),
    FigureInfo(
        "cumulative_ablation", "Do the rankings find heads that matter", "extended", ("cumulative_ablation",)
    ),
    FigureInfo("weight_noise", "Noise on top-gradient weights", "extended", ("weight_noise",)),
    FigureInfo("layer_bypass", "Whole blocks bypassed, layer by layer", "extended", ("layer_bypass",)),
    FigureInfo(
        "planted_recall",
        "How much of a planted place each method finds",
        "extended",
        ("planted_truth", "plants"),
        only_for="plants",
    ),
    FigureInfo(
        "planted_precision",
        "Average precision of every method, next to the unplanted twin's",
        "extended",
        ("planted_truth", "plants"),
        only_for="plants",
    ),
    FigureInfo(
        "planted_curves",
        "Planting and reverting what a method ranks first",
        "extended",
        ("planted_curves",),
        only_for="curves of plants",
    ),
    FigureInfo(
        "planted_rank",
        "Rank of the planted head against the NLL",
        "extended",
        ("planted_truth",),
        only_for="levels of plants",
    ),
    FigureInfo(
        "planted_needed",
        "Weights that a plant needs, and what becomes of other text",
        "extended",
        ("plants",),
        only_for="plants",
    ),
    FigureInfo(
        "planted_recommend",
        "Which method to use for which kind of place",
        "extended",
        ("planted_truth", "plants", "planted_costs"),
        only_for="plants",
    ),
    FigureInfo(
        "removal", "Ways to remove recitation", "extended", ("removal", "removal_damage"), only_for="removal"
    ),
    FigureInfo(
        "removal_table",
        "Ways to remove recitation, by every judge",
        "extended",
        ("removal", "removal_damage", "removal_costs"),
        only_for="removal",
    ),
    FigureInfo("claims", "What is claimed, and what this run says", "extended", ("claims",)),
    FigureInfo(
        "stability",
        "Claims and rankings over seeds of sampling",
        "extended",
        ("claims", "head_ranking"),
        only_for="seeds",
    ),
    FigureInfo(
        "expected",
        "Published numbers and this run's",
        "extended",
        ("expected",),
        only_for="expected",
    ),
    FigureInfo(
        "memorized_agreement",
        "Published memorized paragraphs and this run's",
        "extended",
        ("memorized_agreement",),
        only_for="memorized_agreement",
    ),
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
