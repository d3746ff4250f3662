"""Bundle and estimate of a study, by their targets, and the time limits that the estimate gives."""

import zipfile

from describe_rules import Rules
from projects import STUDY

from memloc.record.verification import METADATA
from memloc.tables import storage
from memloc.tables.schemas import schema_of


def test_a_bundle_is_made_and_verified_and_what_was_changed_is_named(editable):
    editable.snakemake("bundle", "--cores", "1", "--rerun-triggers", "mtime")
    with zipfile.ZipFile(editable.results / "bundle.zip") as bundle:
        names = set(bundle.namelist())
    made = {
        str(path.relative_to(editable.results))
        for kind in ("tables/*.parquet", "figures/*.*", "*.json", "run_config.yaml")
        for path in editable.results.glob(kind)
    }
    assert made | {METADATA, "environment.txt", "envs/requirements.lock"} <= names
    assert {"workflow/Snakefile", "workflow/rules/analyses.smk", "workflow/memloc/__init__.py"} <= names
    editable.snakemake("--cores", "1", "verify")
    table = editable.results / "tables/sets.parquet"
    table.write_bytes(table.read_bytes() + b" ")
    (editable.results / "figures/more.png").write_text("added")
    output = editable.snakemake("--cores", "1", "verify", status=1)
    assert "ERROR: tables/sets.parquet: changed in results/test (2 differences, see the log)" in output
    assert "figures/more.png: added in results/test" in (editable.results / "logs/verify.log").read_text()


def test_an_estimate_needs_nothing_and_is_unknown_for_a_gpu_that_is_not_here(own_clone):
    asked = ("--cores", "1", "estimate", "--config", "loading={device: cuda}")
    output = own_clone.snakemake(*asked, config="config/models/pythia-12b.yaml")
    log = (own_clone.folder / "results/pythia-12b/logs/estimate.log").read_text()
    assert " 58800 " in output and "total: unknown" in output
    assert "edit_paragraphs" in log


def limits(project):
    """Minutes of the first and the second try of every rule, now."""
    rules = Rules.of.__wrapped__(project.folder, STUDY)
    return {rule["name"]: rule["growth"]["runtime"] for rule in rules.jobs}


def runs_the_model(project):
    """Rules that would take a GPU."""
    return {rule["name"] for rule in Rules.of(project.folder, STUDY).jobs if "gpu" in rule["resources"]}


def test_an_estimate_gives_the_limits_of_what_runs_the_model_and_reruns_nothing(editable):
    jobs, before = editable.jobs(), limits(editable)
    editable.snakemake("--cores", "1", "estimate")
    log = (editable.results / "logs/estimate.log").read_text()
    assert "edit_paragraphs" in log and "total: " in log and "total: unknown" not in log
    table = editable.results / "benchmarks/estimate.parquet"
    frame = storage.read(schema_of("estimate"), table)
    assert {"scores", "run_config"} <= set(frame.rule) and (frame.seconds > 0).all()
    storage.write(schema_of("estimate"), frame.assign(seconds=6001.0), table, storage.provenance(table))
    after = limits(editable)
    changed = {rule for rule in before if after[rule] != before[rule]}
    # No study makes the edited model unless it is asked for.
    assert changed == {"train_model"} | runs_the_model(editable) - {"edited_model"}
    assert after == before | dict.fromkeys(changed, [301, 602])
    assert editable.jobs() == jobs
