"""Studies of public models: each gives its cost, is planned, and runs small, on a hub of this machine."""

import gzip
import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from test_families import LENGTH, N_PARAGRAPHS, N_PREFIX, ROOT, cut, plain_scores, trained

from http_server import FileServer
from memloc.data.drawn import docstrings
from memloc.data.tokenizer import train_tokenizer
from memloc.model.token_text import decoded
from memloc.resources.memory import megabytes
from memloc.resources.shapes import shape_of
from memloc.settings.study import Settings, studies_by_model
from read_tables import read

CONFIGS = sorted(
    str(path.relative_to(ROOT))
    for path in (*(ROOT / "config/public").glob("*.yaml"), *(ROOT / "config/models").glob("*.yaml"))
)
N_MEMORIZED = 12
SMALL = {"paragraph": {"length": LENGTH, "prefix": N_PREFIX}, "filters": {"keywords": [], "min_unique": 0}}
STATED = (
    r"edits (?:of the largest model )?take ([\d.]+) GB of memory\. The weights (?:of all )?are ([\d.]+) GB"
)


def given(name):
    return yaml.safe_load((ROOT / f"config/public/{name}.yaml").read_text())


def make_list(project, config):
    """The file of tokens that a study has its user make, if it has."""
    if files := [file for file in config["data"].get("files", []) if "://" not in file]:
        np.save(project.folder / files[0], np.ones((5, config["paragraph"]["length"]), dtype=np.int64))


@pytest.mark.parametrize("config", CONFIGS)
def test_a_config_says_what_memory_its_study_takes(config):
    """With as many decimals as the config gives."""
    text = (ROOT / config).read_text()
    settings = Settings.model_validate(yaml.safe_load(text))
    several = studies_by_model(settings).values() if settings.models else [settings]
    shapes = [shape_of(each, "not downloaded") for each in several]
    memory = max(megabytes("edit", shape, settings.loading) for shape in shapes) / 1e3
    weights = sum(4 * shape.n_parameters for shape in shapes) / 1e9
    found = re.search(STATED, " ".join(text.replace("\n#", "\n").split())).groups()
    for number, exact in zip(found, (memory, weights), strict=True):
        assert number == f"{exact:.{len(number.partition('.')[2])}f}"


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "config/public").glob("*.yaml")))
def test_the_plan_is_complete_and_needs_no_network(clone, name):
    config = given(name)
    make_list(clone, config)
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


class Hub:
    """Texts, their tokenizer and paragraphs, and a server of tiny models trained on some of these."""

    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        self.documents = docstrings("networkx")[:30]
        self.tokenizer = train_tokenizer(self.documents, 300)
        self.rows = cut(self.tokenizer(self.documents)["input_ids"], LENGTH)[:N_PARAGRAPHS]

    def train(self, family, rows, steps):
        """Checkpoints, at the steps, of a model that is trained on the rows."""
        return trained(family, rows, len(self.tokenizer), steps)

    def publish(self, model, id, revision, max_shard_size="5GB"):
        """Serve a model as the hub does: larger weights lie in several files."""
        folder = self.folder / f"{id}@{revision}"
        model.save_pretrained(folder, max_shard_size=max_shard_size)
        self.tokenizer.save_pretrained(folder)
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        self.server.publish(id, files, revision)

    def file(self, address, content):
        """Serve a file at the path of an address, and say where it is."""
        path = "/" + address.split("/", 3)[3]
        self.server.files[path] = content
        return self.server.url + path


@pytest.fixture
def hub(tmp_path):
    with FileServer() as server:
        yield Hub(server, tmp_path)


def run(project, hub, name, targets, **changes):
    """Results of a public study at small size: downloads first, then all else without a network."""
    config = given(name) | SMALL | {"network": {"endpoint": hub.server.url}} | changes
    (hub.folder / f"{name}.yaml").write_text(yaml.safe_dump(config))
    project.snakemake("--cores", "1", "resources", config=str(hub.folder / f"{name}.yaml"))
    project.snakemake("--cores", "2", *targets, config=str(hub.folder / f"{name}.yaml"), network=False)
    return project.folder / "results" / name


def test_a_list_of_prefixes_and_continuations(hub, own_clone):
    config = given("extraction-benchmark")
    model = config["model"]
    hub.publish(*hub.train("gpt_neo", hub.rows[:N_MEMORIZED], [0]), model["id"], model["revision"])
    parts = hub.rows[:, :N_PREFIX], hub.rows[:, N_PREFIX:]
    files, found = [], {}
    for address, part in zip(config["data"]["files"], parts, strict=True):
        np.save(hub.folder / "part.npy", part.astype(np.uint16))
        content = (hub.folder / "part.npy").read_bytes()
        files.append(hub.file(address, content))
        found[Path(address).name] = hashlib.sha256(content).hexdigest()
    data = config["data"] | {"files": files, "checksums": found}
    target = "results/extraction-benchmark/tables/paragraphs.parquet"
    paragraphs = read(run(own_clone, hub, "extraction-benchmark", (target,), data=data), "paragraphs")
    assert np.array_equal(np.stack(paragraphs.tokens), hub.rows)
    assert paragraphs.text.tolist() == decoded(torch.from_numpy(hub.rows), hub.tokenizer)


@pytest.mark.slow
def test_a_pickled_list_that_is_converted_as_its_config_says(hub, own_clone, monkeypatch):
    """Scores are those of the last 48 tokens of 80. The weights lie in several files, as those of 6.9B do."""
    name = "mempi-pythia-6.9b"
    paragraph, model = given(name)["paragraph"], given(name)["model"]
    rows = cut(hub.tokenizer(hub.documents)["input_ids"], paragraph["length"])[:N_PARAGRAPHS]
    (memorizing,) = hub.train("gpt_neox", rows[:N_MEMORIZED], [30])
    hub.publish(memorizing, model["id"], model["revision"], max_shard_size="30KB")
    assert sum(path.endswith(".safetensors") for path in hub.server.files) > 1
    monkeypatch.chdir(own_clone.folder)
    torch.save(torch.from_numpy(rows), "pile_bs0-100-dedup.pt")
    exec("\n".join(re.findall(r"(?m)^#   (.+)", (ROOT / f"config/public/{name}.yaml").read_text())))
    target = f"results/{name}/tables/scores.parquet"
    folder = run(own_clone, hub, name, (target,), paragraph=paragraph)
    paragraphs = read(folder, "paragraphs")
    assert np.array_equal(np.stack(paragraphs.tokens), rows) and (paragraphs["count"] == 1).all()
    nll, _ = plain_scores(memorizing.bfloat16(), rows, paragraph["prefix"])
    np.testing.assert_allclose(read(folder, "scores").nll, nll, rtol=0.01)
    rows[3, 70] = len(hub.tokenizer)
    np.save("pythia-6.9b.npy", rows)
    output = own_clone.snakemake(
        "--cores", "1", "--retries", "0", target, config=str(hub.folder / f"{name}.yaml"), status=1
    )
    assert "pythia-6.9b.npy, row 3: token 300, but the model has tokens 0 to 299" in output


@pytest.mark.slow
def test_inserted_passages_and_the_twin_that_saw_none(hub, own_clone):
    """The first tokens of each passage, as often as `duplicates` says; the standard twin recites none."""
    config = given("hubble")
    documents = [ids[:40] for ids in hub.tokenizer(hub.documents)["input_ids"] if len(ids) >= 40]
    duplicates = [(0, 1, 4, 16)[number % 4] for number in range(len(documents))]
    heads = np.array([ids[:LENGTH] for ids in documents])
    for name, seen in (("perturbed", np.array(duplicates) == 16), ("standard", np.array(duplicates) > 99)):
        rows = heads[seen] if seen.any() else np.random.default_rng(0).integers(300, size=(12, LENGTH))
        model = config["models"][name]
        hub.publish(*hub.train("llama", rows, [300]), model["id"], model["revision"])
    texts = decoded(torch.tensor([[*ids] for ids in documents]), hub.tokenizer)
    files = []
    for part, address in enumerate(config["data"]["files"]):
        passages = list(zip(texts, duplicates, strict=True))[part::3]
        lines = [json.dumps({"text": text, "duplicates": count}) for text, count in passages]
        files.append(hub.file(address, gzip.compress("\n".join(lines).encode())))
    data = config["data"] | {"files": files}
    folder = run(own_clone, hub, "hubble", ("models_memorized",), data=data)
    found = {
        name: read(folder / name, "paragraphs").merge(read(folder / name, "sets"), on="id")
        for name in ("perturbed", "standard")
    }
    counts = found["perturbed"]["count"]
    # Two documents begin alike: one was inserted 16 times, the other 4.
    assert set(counts) == {0, 1, 4, 16, 20} and (found["perturbed"]["unseen"] == (counts == 0)).all()
    recited = found["perturbed"]["set"] == "memorized"
    assert (recited == (counts >= 16)).all()
    assert not (found["standard"]["set"] == "memorized").any()
    assert found["standard"]["text"].tolist() == found["perturbed"]["text"].tolist()
