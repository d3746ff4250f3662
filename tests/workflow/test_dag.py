"""What would run: plans of every study, and what every rule says of itself."""

from pathlib import Path

import pytest
import yaml
from describe_rules import Rules
from projects import OF_STUDY, ON_REQUEST, heavy_libraries, jobs_of

from memloc.figures.catalog import FIGURES
from memloc.tables.schemas import MEASURED

ROOT = Path(__file__).parents[2]
SCRIPTS, LIBRARY = ROOT / "workflow/scripts", ROOT / "workflow/memloc"
CONFIGS = sorted(f"config/{path.name}" for path in (ROOT / "config").glob("*.yaml"))
CONFIGS.append("config/models/pythia-70m.yaml")  # the other files of the folder differ in the model alone
KINDS = ("test", "test-models", "gpt-neo-125m", "smollm2", "models/pythia-70m")


def study(project, config):
    return yaml.safe_load((project.folder / config).read_text())


def models(config):
    """Models of a study by the prefix of their rules' names."""
    several = config.get("models")
    return {f"{name}_": model for name, model in several.items()} if several else {"": config["model"]}


def own_name(rule):
    """A rule's name without that of a model of a study of several, from the place of its log."""
    folder, _, file = rule["log"][0].partition("/logs/")
    _, _, *variant = folder.split("/")
    own = file.removesuffix(".log")
    assert rule["name"] == "_".join([*variant, own])
    return own


@pytest.fixture(scope="module", params=[f"config/{kind}.yaml" for kind in KINDS])
def rules(request, clone):
    """Rules of a study of each kind in turn."""
    return Rules.of(clone.folder, request.param)


@pytest.mark.parametrize("config", CONFIGS)
def test_the_plan_is_complete_loads_nothing_heavy_and_needs_no_network(clone, config):
    output = clone.plan(config=config)
    jobs = jobs_of(output)
    assert heavy_libraries(output) == []
    settings = study(clone, config)
    assert ("download_release" in jobs) == (settings["data"]["source"] == "release")
    for prefix, model in models(settings).items():
        assert (f"{prefix}download_model" in jobs) == (model["source"] == "hub")
        assert (f"{prefix}download_base" in jobs) == (model["source"] == "fine_tuned")
        assert (f"{prefix}train_model" in jobs) == (model["source"] in ("embedded", "fine_tuned"))
        present = {None, settings["data"]["source"], model["source"]}
        present |= set() if "release" in present else {"places"}
        present |= {"trained"} if f"{prefix}train_model" in jobs else set()
        shown = {figure.name for figure in FIGURES if figure.only_for in present}
        assert {prefix + name for name in {"paragraphs", "scores", "sets", "run_config"} | shown} <= set(jobs)
    compared = {"compare_expected", "expected"} <= set(jobs)
    assert compared == any((settings.get("expected") or {}).values())
    once = {name for name in jobs if not name.endswith("_shard")} - {"train_twin"}  # a job a twin
    assert {jobs[name] for name in once} == {1}
    assert not [path for path in (clone.folder / "results").iterdir() if path.name != "README.md"]


def test_a_figure_needs_its_tables_only(test_rules):
    for figure in FIGURES:
        if figure.name in {rule["name"] for rule in test_rules.jobs}:
            folders = {name: "benchmarks" if name in MEASURED else "tables" for name in figure.tables}
            paths = [f"results/test/{folder}/{name}.parquet" for name, folder in folders.items()]
            tables = {test_rules.producers[path] for path in paths}
            needed = tables.union(*(test_rules.needs[name] for name in tables))
            assert test_rules.needs[figure.name] == needed, figure.name


def test_every_job_has_log_benchmark_environment_and_resources(rules):
    for rule in rules.jobs:
        name = own_name(rule)
        results = rule["log"][0].split("/logs/")[0]
        assert len(rule["log"]) == 1
        # Without outputs, and so without a benchmark, which is one, a rule runs whenever it is asked for.
        assert rule["benchmark"] == (f"{results}/benchmarks/{name}.tsv" if rule["outputs"] else None)
        assert rule["conda"].endswith("envs/environment.yaml")
        for resource in ("mem_mb", "runtime"):
            first, second = rule["growth"][resource]
            assert second == 2 * first > 0, f"{name}: a retry gets no more {resource}"


def test_rules_that_load_the_model_ask_for_a_gpu(rules):
    for rule in rules.jobs:
        assert ("gpu" in rule["resources"]) == ("loading" in rule["settings"]), rule["name"]
        if "gpu" in rule["resources"]:
            assert not rule["local"]
            assert any(path.endswith("/model.json") for path in rule["inputs"]), rule["name"]


def test_a_plan_says_how_much_memory_a_model_of_this_size_takes(clone):
    said = clone.plan("edit_paragraphs", config="config/models/pythia-12b.yaml")
    assert "with every choice of weights. (361000 MB of memory)" in said


def test_code_is_tracked_but_for_downloads(rules):
    for rule in rules.jobs:
        assert (rule["code"] is None) == own_name(rule).startswith("download_"), rule["name"]


def test_every_script_belongs_to_a_rule(clone):
    used = {rule["script"] for config in CONFIGS for rule in Rules.of(clone.folder, config).jobs}
    conditional = {
        "download_files.py",
        "paragraphs_counted.py",
        "paragraphs_text.py",
        "passages_text.py",
        "paragraphs_tokens.py",
    }
    scripts = {path.name for path in SCRIPTS.glob("*.py")}
    assert {Path(script).name for script in used} | conditional == scripts


def test_every_figure_and_collection_is_a_target(clone, test_rules):
    shown = [figure.name for figure in FIGURES if figure.only_for in OF_STUDY]
    assert set(shown) <= set(clone.jobs(*shown))
    for target in ("figures", "tables", "all"):
        assert clone.jobs(target)
    assert clone.jobs("resources") == {}
    assert clone.jobs("resources", config="config/smollm2.yaml") == {"download_base": 1}
    jobs = clone.jobs("resources", config="config/models/pythia-70m.yaml")
    assert jobs == {"download_release": 1, "download_model": 1, "download_tokenizer": 1}


def test_rules_that_share_a_download_agree_who_makes_it(clone, tmp_path):
    """Seeds of a study of text at an address, and models that are fine-tuned from one."""
    text = {"source": "text", "files": ["https://example.org/text.txt"]}
    of_text = {"study": "s", "seeds": [1], "data": text, "model": {"source": "hub"}}
    rates = {
        name: {"source": "fine_tuned", "learning_rate": rate} for name, rate in (("a", 1e-4), ("b", 2e-4))
    }
    tuned = {"study": "s", "data": {"source": "drawn", "packages": ["networkx"]}, "models": rates}
    for settings, download in ((of_text, "download_files"), (tuned, "a_download_base")):
        (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))
        jobs = clone.jobs("resources", config=str(tmp_path / "config.yaml"))
        assert [jobs[name] for name in jobs if name.endswith(download[2:])] == [jobs[download]] == [1]


def test_files_of_a_folder_are_what_its_paragraphs_are_cut_from(clone, tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n" * 9000)
    data = {"source": "code", "folder": str(tmp_path), "megabytes": 0.04, "held_out": 0}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(study(clone, "config/config.yaml") | {"data": data}))
    found = Rules.of(clone.folder, str(tmp_path / "config.yaml")).jobs
    (inputs,) = (rule["inputs"] for rule in found if rule["name"] == "paragraphs")
    assert str(tmp_path / "a.py") in inputs


# Several models in one study.


@pytest.fixture(scope="module")
def several(clone):
    return Rules.of(clone.folder, "config/test-models.yaml")


def test_models_have_the_rules_of_a_study_of_one_model(test_rules, several):
    for model in ("small", "large"):
        own = [rule for rule in several.jobs if rule["name"].startswith(f"{model}_")]
        on_request = {figure.name for figure in FIGURES if figure.only_for in ON_REQUEST}
        on_request |= {"remove"}
        names = {rule["name"] for rule in test_rules.jobs} - on_request - ONCE
        assert sorted(map(own_name, own)) == sorted(names)
        for rule in own:
            made = [path for path in rule["outputs"] if not path.startswith(f"results/test-models/{model}/")]
            assert made == [], rule["name"]
            assert rule["message"].startswith(f"{model}: ")


def test_a_study_of_several_models_has_figures_across_them(clone, several):
    across = {figure.name for figure in FIGURES if figure.only_for in ("models", "runs")}
    shared = {own_name(rule) for rule in several.jobs if rule["name"].split("_")[0] not in ("small", "large")}
    assert shared == across | ONCE | {"run_config", "explorer", "story", "figures_page"}
    jobs = set(clone.jobs("models_memorized", config="config/test-models.yaml"))
    assert {"models_memorized", "small_sets", "large_sets"} <= jobs
    assert not [name for name in jobs if "perturbation" in name or "fig" in name]


@pytest.mark.parametrize("target", ["large_fig2", "results/test-models/large/figures/fig2.pdf"])
def test_a_figure_of_one_model_needs_no_other(clone, several, target):
    jobs = clone.jobs(target, config="config/test-models.yaml")
    assert set(jobs) == {"large_fig2", *several.needs["large_fig2"]}
    assert all(name.startswith("large_") for name in jobs)


# A study whose samples are drawn again.

SHARED = {"paragraphs", "dropped_paragraphs", "train_model", "model", "scores"}
ONCE = {"bundle", "verify", "estimate"}  # rules of a study, not of each of its models


@pytest.fixture(scope="module")
def seeds(clone, tmp_path_factory):
    config = tmp_path_factory.mktemp("seeds") / "seeds.yaml"
    config.write_text((clone.folder / "config/test.yaml").read_text() + "\nseeds: [4, 2]\n")
    return config


def test_a_further_seed_repeats_what_is_sampled_and_shares_the_rest(clone, test_rules, seeds):
    rules = Rules.of(clone.folder, str(seeds))
    own = {rule["name"] for rule in test_rules.jobs}
    names = {rule["name"] for rule in rules.jobs}
    repeated = own - SHARED - ONCE - {"passages"}
    assert names == own | {"claims_by_run"} | {f"seed-{seed}_{name}" for seed in (4, 2) for name in repeated}
    for rule in rules.jobs:
        member = rule["name"].partition("_")[0] if rule["name"].startswith("seed-") else ""
        assert own_name(rule) and all(path.startswith(f"results/test/{member}") for path in rule["outputs"])
    needed = rules.needs["seed-4_perturbation"]
    assert needed == SHARED | {"seed-4_sets"}
    base = {rule["name"]: rule for rule in test_rules.jobs}
    for rule in rules.jobs:
        if rule["name"] in base.keys() - ONCE:
            own = base[rule["name"]]
            added = {path for path in rule["inputs"] if Path(path).stem == "claims_by_run"}
            assert bool(added) == (rule["name"] == "figures_page"), "it is also on the page"
            assert (rule["code"], {*rule["inputs"]} - added) == (own["code"], {*own["inputs"]})
