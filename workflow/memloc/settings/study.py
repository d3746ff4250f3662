"""The settings of a study: every section, and the checks across sections."""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from memloc.settings.base import NonNegative, Positive, Section
from memloc.settings.capacity import Capacity
from memloc.settings.data import CodeData, DrawnData, ReleaseData, TextData, TokenData
from memloc.settings.detection import Detection
from memloc.settings.editing import Editing
from memloc.settings.expected import Expected
from memloc.settings.filters import Filters
from memloc.settings.grown_truth import GrownTruth
from memloc.settings.interventions import HeadAblation
from memloc.settings.loading import Loading
from memloc.settings.localization import ActivationGradients, Contrastive, Head, Patching
from memloc.settings.model import Counterfactual, EmbeddedModel, FineTunedModel, HubModel, LocalModel
from memloc.settings.paragraph import Paragraph
from memloc.settings.perturbation import Perturbation
from memloc.settings.positions import Positions
from memloc.settings.removal_ways import RETRAINED
from memloc.settings.remove import EditModel, Remove
from memloc.settings.running import Estimate, Network
from memloc.settings.scores import Scoring
from memloc.settings.sets import Sets
from memloc.settings.structure import filled_keys, own_keys

# No underscore: rules of a model are named <model>_<rule>, and no two of them may share a name.
ModelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$")]
# Sections that can follow the authors' code.
REFERENCE = (
    "filters",
    "perturbation",
    "contrastive",
    "activation_gradients",
    "editing",
)
TRAINED = ("embedded", "fine_tuned")  # sources of models that the workflow trains
TRAINED_ON = ("code", "drawn")  # sources of data that it trains them on
RESAMPLED = r"seed-\d+"  # folder of a study whose samples are drawn again
# Folders of a study, which no model may be named like.
STUDY_FOLDERS = ("benchmarks", "explorer", "figures", "logs", "tables")

Model = Annotated[EmbeddedModel | FineTunedModel | HubModel | LocalModel, Field(discriminator="source")]


class Settings(Section):
    """A study of one model, or of several that share all other settings."""

    study: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9.-]*)?$",
        description="Name of the study: results/<study>/. Each of several models is a study <study>/<model>.",
    )
    seed: NonNegative = Field(0, description="Seed of every random draw.")
    seeds: list[NonNegative] = Field(
        [],
        description="Further seeds. With each, all samples are drawn again from the same data, model and "
        "scores; figure `claims_by_run` compares their verdicts. Each repeats the cost of all analyses.",
    )
    threads: Positive = Field(1, description="Processor threads of each rule that runs the model.")
    network: Network = Network()
    loading: Loading = Loading()
    n_judging: Annotated[int, Field(ge=1, strict=True)] | None = Field(
        None,
        description="Texts of each kind (other memorized paragraphs, non-memorized, held-out) that show side "
        "effects of an edit or an ablation; null: 16 to 50, as each analysis needs.",
    )
    reference: list[Literal["all", *REFERENCE]] = Field(
        [],
        description="Sections that follow the authors' code where it differs from the paper's text; "
        "docs/methods.md lists the differences.",
    )
    shards: Positive = Field(
        1, description="Jobs that each stage with a cost per paragraph is split into; results do not change."
    )
    paragraph: Paragraph = Paragraph()
    data: Annotated[
        CodeData | DrawnData | ReleaseData | TextData | TokenData,
        Field(discriminator="source", description="Where paragraphs come from."),
    ]
    model: Model | None = Field(None, description="Where the model comes from.")
    models: dict[ModelName, Model] | None = Field(
        None,
        min_length=2,
        description="Instead of `model`: several models by name, each with the keys of `model`.",
    )
    filters: Filters = Filters()
    scores: Scoring = Scoring()
    sets: Sets = Sets()
    positions: Positions = Positions()
    perturbation: Perturbation = Perturbation()
    contrastive: Contrastive = Contrastive()
    activation_gradients: SkipJsonSchema[ActivationGradients] = ActivationGradients()
    patching: Patching = Patching()
    editing: Editing = Editing()
    head_ablation: HeadAblation = HeadAblation()
    edit_model: EditModel = EditModel()
    grown_truth: GrownTruth = GrownTruth()
    remove: Remove = Remove()
    detection: Detection = Detection()
    counterfactual: Counterfactual = Counterfactual()
    capacity: Capacity = Capacity()
    highlight: Head | None = Field(
        None, description="Head that figures outline; null: the first of the combined ranking."
    )
    expected: Expected = Expected()
    estimate: Estimate = Estimate()

    @property
    def shared(self) -> str:
        """Study that owns the data, model and scores; for a further seed of `seeds`, the base study."""
        study, _, variant = self.study.partition("/")
        return study if re.fullmatch(RESAMPLED, variant) else self.study

    @property
    def variant(self) -> str | None:
        """Name of the model in a study of several models, or of the further seed; None in other studies."""
        return self.study.partition("/")[2] or None

    @model_validator(mode="before")
    @classmethod
    def _fill_sections(cls, given: Any) -> Any:
        """Give sections the keys of the study that they hold, too."""
        if not isinstance(given, dict):
            return given
        named, n_judging = given.get("reference"), given.get("n_judging")
        if type(n_judging) is int and n_judging > 0:
            names = [name for name, keys in filled_keys(cls).items() if "n_judging" in keys]
            given = _with_key(given, "n_judging", n_judging, names)
        if isinstance(named, list):
            names = [name for name in REFERENCE if name in named or "all" in named]
            given = _with_key(given, "reference", True, names)
        return given

    def as_config(self) -> dict[str, Any]:
        """All settings as a config file may give them, defaults included."""
        chosen = self.model_dump(mode="json", exclude=filled_keys(type(self)))
        return {key: chosen[key] for key in own_keys(type(self))}

    @model_validator(mode="after")
    def _one_model_or_several(self) -> "Settings":
        if (self.model is None) == (self.models is None):
            raise ValueError("either model (a section) or models (several, by name)")
        names = list(self.models or {})
        if "/" in self.study and names:
            raise ValueError("the name of a study of several models holds no slash")
        if resampled := [name for name in names if re.fullmatch(RESAMPLED, name)]:
            raise ValueError(f"a model is named like a seed of a study: {', '.join(resampled)}")
        if taken := sorted(set(names) & set(STUDY_FOLDERS)):
            raise ValueError(f"a model is named like a folder of the study: {', '.join(taken)}")
        return self

    @property
    def n_grown(self) -> int:
        """Number of paragraphs that grow in the model; with several models, the largest number."""
        models = [self.model] if self.models is None else self.models.values()
        return max(model.grown.n_paragraphs if model.source == "embedded" else 0 for model in models)

    @property
    def steps(self) -> dict[str, int]:
        """Training steps of the models that are checkpoints, by name."""
        steps = {name: getattr(model, "step", None) for name, model in (self.models or {}).items()}
        return {name: step for name, step in steps.items() if step is not None}

    @model_validator(mode="after")
    def _checkpoints_are_of_one_training(self) -> "Settings":
        steps = self.steps
        if steps and (len(set(steps.values())) < len(steps) or set(steps) != set(self.models)):
            raise ValueError("step: either all models have different steps, or no model has a step")
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
        trained = [model for model in models if model.source in TRAINED]
        if trained and self.data.source not in TRAINED_ON:
            raise ValueError(
                f"the {trained[0].source} model is trained by the workflow, on data of its own: "
                f"set data.source to {' or '.join(TRAINED_ON)}"
            )
        given = [model.source for model in models if model not in trained]
        if given and self.data.source in TRAINED_ON:
            raise ValueError(
                f"{self.data.source} data is there to train a model on, but the {given[0]} model is trained "
                "already: set data.source to text, tokens or release, or model.source to "
                f"{' or '.join(TRAINED)}"
            )
        if any(model.context < self.paragraph.length for model in trained):
            raise ValueError("model.context must be at least paragraph.length")
        return self

    @model_validator(mode="after")
    def _can_be_trained_again(self) -> "Settings":
        retrained = RETRAINED in self.remove.ways
        asked = {"counterfactual.n_models": self.counterfactual.n_models, "remove.ways: retrained": retrained}
        key = next((key for key, wanted in asked.items() if wanted), None)
        for model in [self.model] if self.models is None else self.models.values():
            needs = key or ("sets.kinds" if self.sets.kinds else None)
            if needs and model.source not in TRAINED:
                raise ValueError(f"{needs} needs a model that the workflow trains")
            if retrained and self.data.source != "drawn":
                raise ValueError("remove.ways: retrained needs drawn data: set data.source to drawn")
            if key and model.source == "embedded" and model.grown.kinds:
                raise ValueError(f"{key} trains models in which nothing grows: leave model.grown out")
        return self

    @model_validator(mode="after")
    def _filled_models_have_a_shape(self) -> "Settings":
        models = [self.model] if self.models is None else self.models.values()
        for model in models if self.capacity.widths else ():
            if model.source != "embedded" or any(each % model.n_heads for each in self.capacity.widths):
                raise ValueError("capacity.widths needs an embedded model, and multiples of its n_heads")
        return self

    @model_validator(mode="after")
    def _memories_have_paragraphs(self) -> "Settings":
        if self.n_grown and self.data.source != "drawn":
            raise ValueError("model.grown needs unseen paragraphs of drawn data: set data.source to drawn")
        if self.data.source == "drawn" and self.n_grown > self.data.n_unseen:
            raise ValueError(f"model.grown needs {self.n_grown} unseen paragraphs, more than data.n_unseen")
        return self

    @model_validator(mode="after")
    def _controls_are_sampled(self) -> "Settings":
        for section in ("contrastive", "editing", "edit_model"):
            if (getattr(self, section).n_controls or 0) > self.sets.n_non_memorized:
                raise ValueError(f"{section}.n_controls must not exceed sets.n_non_memorized")
        return self


def _with_key(given: dict[str, Any], key: str, value: Any, names: Iterable[str]) -> dict[str, Any]:
    """`given`, with a key added to the named sections that do not have it."""
    own = {name: given.get(name, {}) for name in names}
    return given | {name: {key: value} | keys for name, keys in own.items() if isinstance(keys, dict)}


def studies_by_model(study: Settings) -> dict[str, Settings]:
    """The study of each of several models, by name; all other settings are the same."""
    return {
        name: study.model_copy(update={"study": f"{study.study}/{name}", "model": model, "models": None})
        for name, model in study.models.items()
    }


def are_trainings(models: Mapping[str, Model]) -> bool:
    """Whether models are trained alike from different seeds."""
    trained = [model.model_dump() for model in models.values() if hasattr(model, "seed")]
    seeds = {model.pop("seed") for model in trained}
    return len(trained) == len(seeds) == len(models) and all(model == trained[0] for model in trained)


def studies_by_seed(study: Settings) -> dict[str, Settings]:
    """The study of each further seed, by name; all other settings are the same."""
    return {
        f"seed-{seed}": study.model_copy(
            update={"study": f"{study.study}/seed-{seed}", "seed": seed, "seeds": []}
        )
        for seed in study.seeds
    }
