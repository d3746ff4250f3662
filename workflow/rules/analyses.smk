# Scores and analyses, a rule for each: the tables that it reads and makes, and the settings that it tracks.
# Those with an entry in MEMORY run the model; the others are arithmetic on tables.

from typing import NamedTuple

from memloc.settings.perturbation import PER_PASS
from memloc.tables.schemas.edits import OBJECTIVES


class Analysis(NamedTuple):
    """A rule of the name of its script."""

    name: str
    message: str
    reads: list[str]
    makes: list[str]
    sections: list[str]
    minutes: int
    n_jobs: int | None = 1  # most jobs that have work, each with some paragraphs, ways or memories; None: any
    first: bool = False  # all others wait for it
    inputs: dict = {}
    params: dict = {}


N_SAMPLED = SETTINGS.sets.n_memorized + SETTINGS.sets.n_non_memorized
# Of the scores, which all others wait for. A second thread makes the sets no faster.
THREADS = max(2, SETTINGS.threads)

ANALYSES = [
    # Exact match, NLL and probability under sampling of every kept paragraph, and the sets (paper 3.2).
    Analysis(
        "scores",
        "Score every paragraph: exact match, NLL and probability under sampling from one teacher-forced "
        "pass.",
        reads=["paragraphs", "dropped_paragraphs", *PUBLISHED_FILTER],
        makes=["scores", "extraction"],
        sections=["scores", "loading"],
        minutes=240,
        n_jobs=None,
        first=True,
    ),
    Analysis(
        "sets",
        "Split paragraphs into memorized and non-memorized sets, draw samples, decode their continuations.",
        reads=["paragraphs", "dropped_paragraphs", "scores", *(["kinds"] if SETTINGS.sets.kinds else [])],
        makes=["sets", "near_verbatim"],
        sections=["sets", "loading"],
        minutes=120,
        first=True,
    ),
    # One prefix token perturbed at a time, and each memorized paragraph's strongest perturbation (paper 4). A
    # job has whole micro-batches. Pairs add paragraphs whose number is not known yet.
    Analysis(
        "perturbation",
        "Perturb every prefix token of the sampled and paired paragraphs, and score the continuations.",
        reads=["vocabulary", "paragraphs", "sets"],
        makes=["perturbation", "perturbed_paragraphs"],
        sections=["perturbation", "loading", "scores"],
        minutes=240,
        n_jobs=-(-N_SAMPLED // (SETTINGS.loading.micro_batch or PER_PASS)),
    ),
    # Weights: the NLL of all sets, and the contrastive objective (paper 5.1, 5.2).
    Analysis(
        "parameter_gradients",
        "Compute gradients of the model's weights for every set, and for the contrastive objective.",
        reads=["paragraphs", "sets"],
        makes=["parameter_gradients", "parameter_gradient_samples", "paragraph_gradients"],
        sections=["contrastive", "loading"],
        minutes=60,
    ),
    # Activations, attention and patching (paper 6 and A.2, A.3).
    Analysis(
        "activation_gradients",
        "Compute gradients of activations for memorized and perturbed paragraphs.",
        reads=["paragraphs", "sets", "perturbed_paragraphs"],
        makes=["activation_gradients", "impact_gradients"],
        sections=["activation_gradients", "loading"],
        minutes=60,
    ),
    Analysis(
        "attention",
        "Record the attention of the first decoded token onto the prefix.",
        reads=["paragraphs", "sets", "scores"],
        makes=["attention"],
        sections=["loading", "sets"],
        minutes=60,
    ),
    Analysis(
        "rare_tokens",
        "Sum attention by token rarity, correlate the two, and repeat it with permuted tokens.",
        reads=["paragraphs", "sets", "attention"],
        makes=["rare_tokens", "rare_token_correlation", "rare_token_groups"],
        sections=[],
        minutes=60,
    ),
    Analysis(
        "patching",
        "Exchange what a head computes between a paragraph and its perturbed version, head by head.",
        reads=["paragraphs", "perturbed_paragraphs"],
        makes=["patching", "attribution_patching"],
        sections=["patching", "loading"],
        minutes=480,
        n_jobs=SETTINGS.sets.n_memorized,
    ),
    Analysis(
        "rank_heads",
        "Rank the attention heads by every method, and again on parts of the sample.",
        reads=[
            *("parameter_gradients", "parameter_gradient_samples", "activation_gradients"),
            *("rare_token_correlation", "rare_token_groups", "patching"),
        ],
        makes=["head_ranking", "head_rank_samples"],
        sections=[],
        minutes=15,
    ),
    # Interventions: single paragraphs edited (paper 5.3), and the model without heads and blocks, one by one
    # and together.
    Analysis(
        "edit_paragraphs",
        "Unlearn and edit memorized paragraphs, each from the original weights, with every choice of weights.",
        reads=["paragraphs", "sets", "perturbed_paragraphs"],
        makes=["edits"],
        sections=["editing", "loading"],
        minutes=1440,
        n_jobs=len(OBJECTIVES) * min(SETTINGS.editing.n_paragraphs, SETTINGS.sets.n_memorized),
    ),
    Analysis(
        "ablate_heads",
        "Ablate every attention head, the first heads of every ranking together, and every layer's blocks.",
        reads=["paragraphs", "sets", "head_ranking"],
        makes=["head_ablation", "cumulative_ablation", "layer_bypass"],
        sections=["head_ablation", "loading"],
        minutes=480,
    ),
    # More about the scores of samples; does the prefix alone show that the model will recite?
    Analysis(
        "score_samples",
        "Score sampled paragraphs token by token, at other positions and after other text.",
        reads=["paragraphs", "scores", "sets"],
        makes=["positions", "token_statistics"],
        sections=["positions", "loading"],
        minutes=60,
    ),
    Analysis(
        "prefix_features",
        "Record features of prefixes at every lead time.",
        reads=["paragraphs", "dropped_paragraphs"],
        makes=["prefix_features"],
        sections=["detection", "loading"],
        minutes=120,
    ),
    Analysis(
        "detect",
        "Predict recitation from prefixes by classifiers, in folds that share no text.",
        reads=["prefix_features", "paragraphs", "scores"],
        makes=["detection"],
        sections=[],
        minutes=240,
    ),
]
# Copies of a training text that is known.
if MODEL.source in TRAINED:
    ANALYSES += [
        Analysis(
            "count_copies",
            "Count copies and near-copies of every paragraph, and fit what each is worth.",
            reads=["vocabulary", "paragraphs", "training_stream", "scores"],
            makes=["near_copies", "copy_worth", "kinds"],
            sections=[],
            minutes=60,
        )
    ]
if HALVES_ASKED:
    ANALYSES += [
        Analysis(
            "compare_halves",
            "Compare models that were trained on a paragraph with models that were not.",
            reads=["half_scores", "paragraphs", "scores", "prefix_features", "near_copies", "kinds"],
            makes=["counterfactual"],
            sections=[],
            minutes=30,
        )
    ]
# Ways to remove recitation, and memories that grew in known places. Each starts from the original weights.
if REMOVAL_ASKED:
    ANALYSES += [
        Analysis(
            "remove",
            "Remove recitation in every way, and judge all ways alike.",
            reads=["paragraphs", "sets", "head_ranking"],
            makes=REMOVAL_TABLES,
            sections=["remove", "loading", "highlight"],
            minutes=1440,
            n_jobs=len(SETTINGS.remove.ways),
            inputs={"retrained": RETRAINED_MODEL},
        )
    ]
if GROWN_REMOVED:
    ANALYSES += [
        Analysis(
            "remove_grown",
            "Remove grown memories in every way that changes weights, with and without being told their "
            "places.",
            reads=["paragraphs", "sets", "head_ranking", *GROWN],
            makes=["removal_of_grown"],
            sections=["remove", "loading", "highlight"],
            minutes=1440,
            n_jobs=len(WEIGHT_WAYS),
            params={"ways": WEIGHT_WAYS},
        )
    ]
if GROWN:
    ANALYSES += [
        Analysis(
            "ask_methods",
            "Ask every localization method where grown memories are, in the model and in its twins.",
            reads=["paragraphs", "sets", "grown", "twins"],
            makes=["grown_truth"],
            sections=["grown_truth", "loading", "model"],
            minutes=1440,
            n_jobs=2 * MODEL.grown.n_paragraphs,
            inputs={"twin_folders": rules.exchange_places.input.twin_folders},
        )
    ]

for analysis in ANALYSES:
    STAGE = Shards(analysis.name, most=analysis.n_jobs)
    runs_model = analysis.name in MEMORY
    said = analysis.message + MB_SAID * runs_model

    rule:
        name:
            STAGE.rule
        input:
            **tables(*analysis.reads),
            **analysis.inputs,
            **({"folder": MODEL_FOLDER} if runs_model else {}),
            model=rules.model.output.description,
        output:
            **STAGE.tables(*analysis.makes),
        log:
            STAGE.log,
        benchmark:
            STAGE.benchmark
        priority: FIRST * analysis.first
        threads: (THREADS if analysis.name == "scores" else SETTINGS.threads) if runs_model else 1
        resources:
            **({"gpu": N_GPU} if runs_model else {}),
            mem_mb=growing(MEMORY.get(analysis.name, 4000)),
            runtime=(limited if runs_model else growing)(analysis.minutes),
        params:
            **tracked(*analysis.sections),
            **analysis.params,
            shard=STAGE.number,
            script=analysis.name,
        message:
            said
        # Snakemake fills the name in when the job runs, and the loop is over by then.
        script:
            "../scripts/{params.script}.py"
