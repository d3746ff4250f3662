"""Studies of public models: each gives its cost, is planned, and runs small, on a hub of this machine."""

import hashlib
import re
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import yaml
from jobs import ROOT, STORED

from http_server import FileServer
from memloc.planning.work import megabytes, n_parameters
from memloc.settings.study import Settings, studies_by_model
from read_tables import read

CONFIGS = sorted(
    str(path.relative_to(ROOT))
    for path in (*(ROOT / "config/public").glob("*.yaml"), *(ROOT / "config/models").glob("*.yaml"))
)
LENGTH, N_PREFIX = 24, 12  # of the stored study
STATED = (
    r"edits (?:of the largest model )?take ([\d.]+) GB of memory\. The weights (?:of all )?are ([\d.]+) GB"
)


def given(name):
    return yaml.safe_load((ROOT / f"config/public/{name}.yaml").read_text())


@contextmanager
def list_of(project, config):
    """While it is planned, the project has the file of tokens that a study has its user make, if it has."""
    files = [project.folder / file for file in config["data"].get("files", []) if "://" not in file]
    for file in files:
        np.save(file, np.ones((5, config["paragraph"]["length"]), dtype=np.int64))
    yield
    for file in files:
        file.unlink()


@pytest.mark.parametrize("config", CONFIGS)
def test_a_config_says_what_memory_its_study_takes(config):
    """It names the true size where the model's name is up to a third off."""
    text = (ROOT / config).read_text()
    settings = Settings.model_validate(yaml.safe_load(text))
    several = studies_by_model(settings).values() if settings.models else [settings]
    sizes = [n_parameters(each, "not downloaded") for each in several]
    memory = megabytes("edit", max(sizes), settings.loading) / 1e3
    weights = 4 * sum(sizes) / 1e9
    found = re.search(STATED, " ".join(text.replace("\n#", "\n").split())).groups()
    for number, named in zip(found, (memory, weights), strict=True):
        assert 0.65 < named / float(number) < 1.1


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "config/public").glob("*.yaml")))
def test_the_plan_is_complete_and_needs_no_network(clone, name):
    config = given(name)
    with list_of(clone, config):
        jobs = clone.jobs(config=f"config/public/{name}.yaml")
    models = [f"{member}_" for member in config.get("models", {})] or [""]
    for prefix in models:
        rules = ("download_model", "paragraphs", "scores", "claims")
        assert {f"{prefix}{rule}" for rule in rules} <= set(jobs)
    remote = [file for file in config["data"].get("files", []) if "://" in file]
    assert jobs.get("download_files", 0) == bool(remote)
    assert ("models_checkpoints" in jobs) == (name == "pythia-checkpoints")


def test_a_list_that_does_not_fit_stops_before_any_job(clone, tmp_path):
    np.save(tmp_path / "list.npy", np.ones((5, 80), dtype=np.int64))
    data = {"source": "tokens", "files": [str(tmp_path / "list.npy")]}
    study = {"study": "listed", "data": data, "model": {"source": "hub"}}
    (tmp_path / "listed.yaml").write_text(yaml.safe_dump(study))
    output = clone.plan(config=str(tmp_path / "listed.yaml"), status=1)
    assert "list.npy: a row has 80 tokens, but paragraph.length is 100: set it" in output
    assert "Traceback" not in output


def test_a_list_of_prefixes_and_continuations(own_clone, tmp_path):
    """From a hub of this machine: downloads first, then all else without a network."""
    config, stored = given("extraction-benchmark"), read(STORED, "paragraphs")
    tokens = np.stack(stored["tokens"]).astype(np.uint16)
    with FileServer() as server:
        model = {path.name: path.read_bytes() for path in (STORED / "model").iterdir()}
        server.publish(config["model"]["id"], model, config["model"]["revision"])
        files, sums = [], {}
        for address, part in zip(config["data"]["files"], np.split(tokens, [N_PREFIX], axis=1), strict=True):
            np.save(tmp_path / "part.npy", part)
            name, content = Path(address).name, (tmp_path / "part.npy").read_bytes()
            server.files[f"/{name}"] = content
            files.append(f"{server.url}/{name}")
            sums[name] = hashlib.sha256(content).hexdigest()
        config |= {"data": config["data"] | {"files": files, "checksums": sums}}
        config |= {"network": {"endpoint": server.url}, "paragraph": {"length": LENGTH, "prefix": N_PREFIX}}
        (tmp_path / "list.yaml").write_text(
            yaml.safe_dump(config | {"filters": {"keywords": [], "min_unique": 0}})
        )
        own_clone.snakemake("--cores", "1", "resources", config=str(tmp_path / "list.yaml"))
    target = "results/extraction-benchmark/tables/paragraphs.parquet"
    own_clone.snakemake("--cores", "2", target, config=str(tmp_path / "list.yaml"), network=False)
    found = read(own_clone.folder / "results/extraction-benchmark", "paragraphs")
    assert np.array_equal(np.stack(found["tokens"]), tokens)
    assert found["text"].tolist() == stored["text"].tolist()
