"""Shapes of models: what is published, what a config file says, and what a study has."""

import pytest

from memloc.model.families import FAMILIES
from memloc.model.subject import Subject
from memloc.planning import shapes
from memloc.settings.study import Settings
from tiny_models import LLAMA_LIKE, TINY

# What the models' cards and papers say: parameters, query heads, and heads of keys and values.
SAID = {
    "EleutherAI/gpt-neo-125m": (125_198_592, 12, 12),
    "EleutherAI/gpt-neo-1.3B": (1_315_575_808, 16, 16),
    "EleutherAI/gpt-neo-2.7B": (2_651_307_520, 20, 20),
    "openai-community/gpt2": (124_439_808, 12, 12),
    "HuggingFaceTB/SmolLM2-135M": (134_515_008, 9, 3),
    "EleutherAI/pythia-70m-deduped": (70_426_624, 8, 8),
    "EleutherAI/pythia-160m-deduped": (162_322_944, 12, 12),
    "EleutherAI/pythia-410m-deduped": (405_334_016, 16, 16),
    "EleutherAI/pythia-1b-deduped": (1_011_781_632, 8, 8),
    "EleutherAI/pythia-1.4b-deduped": (1_414_647_808, 16, 16),
    "EleutherAI/pythia-2.8b-deduped": (2_775_208_960, 32, 32),
    "EleutherAI/pythia-6.9b-deduped": (6_857_302_016, 32, 32),
    "EleutherAI/pythia-12b-deduped": (11_846_072_320, 40, 40),
    **dict.fromkeys(  # Llama 3.2 1B (1,235,814,400) with 50,304 tokens in place of 128,256, and not tied
        ("allegrolab/hubble-1b-100b_toks-perturbed-hf", "allegrolab/hubble-1b-100b_toks-standard-hf"),
        (1_179_191_296, 32, 8),
    ),
    "allenai/OLMo-1B-hf": (1_176_764_416, 16, 16),
    "allenai/OLMo-2-0425-1B": (1_484_916_736, 16, 16),
    "allenai/Olmo-3-1025-7B": (7_298_011_136, 32, 32),
}


def settings(**changes):
    study = {"study": "x", "data": {"source": "release"}, "model": {"source": "hub"}}
    return Settings.model_validate(study | changes)


def test_published_shapes_have_the_published_number_of_parameters_and_heads():
    for name, (n_parameters, *n_heads) in SAID.items():
        shape = shapes.PUBLISHED[name]
        assert shape.n_parameters == pytest.approx(n_parameters, rel=0.02), name
        assert [shape.n_heads, shape.n_kv_heads] == n_heads, name
        assert shape.d_head * shape.n_heads == shape.width, name


# Wider heads or another MLP than usual, and one matrix to embed and unembed, or two.
UNUSUAL = [
    ("llama", {"head_dim": 6}),
    ("gpt2", {"n_inner": 24}),
    ("gpt_neo", {"intermediate_size": 24}),
    ("gpt2", {"tie_word_embeddings": False}),
    ("llama", {"tie_word_embeddings": True}),
]


@pytest.mark.parametrize(("family", "unusual"), [*((family, {}) for family in TINY | LLAMA_LIKE), *UNUSUAL])
def test_a_config_file_has_the_shape_of_its_model(family, unusual, tmp_path):
    usual = (TINY | LLAMA_LIKE)[family]()
    for key, value in unusual.items():
        setattr(usual.config, key, value)
    model = type(usual)(usual.config)
    model.config.save_pretrained(tmp_path)
    shape = shapes.read_shape(tmp_path / "config.json")
    names = {component.parameter for component in Subject(model, 1).components}
    assert shape.n_component_weights == sum(model.get_parameter(name).numel() for name in names)
    positions = [each for name, each in model.named_parameters() if "wpe" in name]
    matrices = sum(weight.numel() for weight in model.parameters() if weight.dim() > 1)
    assert shape.n_parameters == matrices - sum(weight.numel() for weight in positions)
    assert (shape.n_layers, shape.n_heads) == (2, 4) and shape.gated == FAMILIES[family].gated


def test_the_shape_of_a_study(tmp_path):
    hub = {"source": "hub", "id": "EleutherAI/pythia-12b-deduped"}
    assert shapes.shape_of(settings(model=hub), tmp_path).n_layers == 36
    unknown = settings(model={"source": "hub", "id": "lab/new"})
    assert shapes.shape_of(unknown, tmp_path) == shapes.UNKNOWN
    TINY["llama"]().config.save_pretrained(tmp_path)
    assert shapes.shape_of(unknown, tmp_path).n_kv_heads == 2
    embedded = settings(data={"source": "drawn"}, model={"source": "embedded", "n_layers": 3})
    tuned = settings(data={"source": "drawn"}, model={"source": "fine_tuned"})
    assert shapes.shape_of(tuned, tmp_path).n_layers == 30
    vocabulary = embedded.data.vocabulary
    assert shapes.shape_of(embedded, tmp_path) == (3, 256, 8, 8, 32, 1024, False, vocabulary, True)
