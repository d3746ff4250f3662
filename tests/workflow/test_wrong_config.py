"""A wrong config, or a model that is not there, stops before any job; the linter has no complaint."""

import pytest
import yaml
from jobs import ROOT

from tiny_models import TINY

# One of each kind: the linter reads files of rules, and studies of a kind include the same ones.
KINDS = ("test-models", "models/pythia-70m")


@pytest.mark.parametrize("kind", KINDS)
def test_the_linter_is_content(clone, kind):
    assert "Congratulations" in clone.forked("--lint", config=f"config/{kind}.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("parargaph: {length: 3}", "{file}: parargaph: unknown key; did you mean paragraph?"),
        ("data: {source: drawn, packages: [no-such]}", "data.packages: no-such is not installed"),
    ],
)
def test_a_wrong_config_stops_before_any_job_with_its_message_alone(clone, tmp_path, text, said):
    config = tmp_path / "bad.yaml"
    config.write_text((ROOT / "config/test.yaml").read_text() + f"\n{text}\n")
    output = clone.forked("--cores", "1", config=str(config), status=1)
    (line,) = (line for line in output.splitlines() if not line.startswith("Using workflow specific profile"))
    assert line.startswith(said.format(file=config))
    assert not (clone.folder / "results/test").exists()


@pytest.mark.parametrize(
    ("folder", "length", "text", "said"),
    [
        ("no", 64, b"words " * 100, "model.folder: {}/no: no such folder; correct the path"),
        ("model", 65, b"words " * 100, "paragraphs have 65 tokens, but the model has 64 positions"),
        ("model", 64, b"words " * 100, "{}/model: no tokenizer (tokenizer.json, vocab.json, "),
        ("model", 64, b"", "data.files: {}/text.txt: empty; give text"),
        ("model", 64, b"caf\xe9", "{}/text.txt: not utf-8 text"),
    ],
)
def test_what_is_wrong_with_a_model_or_text_stops_before_any_job(clone, tmp_path, folder, length, text, said):
    TINY["gpt_neox"]().config.save_pretrained(tmp_path / "model")
    (tmp_path / "text.txt").write_bytes(text)
    settings = {"study": "x", "data": {"source": "text", "files": [str(tmp_path / "text.txt")]}}
    settings |= {"model": {"source": "local", "folder": str(tmp_path / folder)}}
    settings |= {"paragraph": {"length": length}}
    (tmp_path / "local.yaml").write_text(yaml.safe_dump(settings))
    output = clone.forked("--cores", "1", config=str(tmp_path / "local.yaml"), status=1)
    assert said.format(tmp_path) in output.splitlines()[-1]
    assert not [word for word in ("Exception", "Traceback", "Select jobs") if word in output]


def test_a_target_that_is_not_there_names_the_nearest(clone):
    output = clone.plan("fig77", status=1)
    assert output.splitlines()[-1].startswith("fig77: no such target; did you mean fig7")
    assert not [word for word in ("Exception", "Traceback", "unknown_target") if word in output]


def test_an_analysis_that_takes_no_token_before_the_prefix_is_named(clone, tmp_path):
    config = tmp_path / "before.yaml"
    config.write_text((ROOT / "config/test.yaml").read_text() + "\nparagraph: {before: end_of_text}\n")
    output = clone.forked("-n", "fig12", config=str(config), status=1)
    assert output.splitlines()[-1].startswith("attention does not take a token before the prefix")
    asked = clone.jobs("fig2", "fig3", "positions", config=str(config))
    assert {"scores", "sets", "perturbation", "score_samples"} <= set(asked)
