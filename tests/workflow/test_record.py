"""Bundle and estimate of a study, by their targets."""

import zipfile

from memloc.record.verification import METADATA


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
    assert {"workflow/Snakefile", "workflow/rules/scores.smk", "workflow/memloc/__init__.py"} <= names
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
    assert "memory: at most 58.0 GB a rule" in output and "total: unknown" in output
    assert "edit_paragraphs" in log and "longest path: " not in log


def test_an_estimate_names_rules_total_and_longest_path(own_clone):
    own_clone.snakemake("--cores", "1", "estimate")
    log = (own_clone.folder / "results/test/logs/estimate.log").read_text()
    assert "edit_paragraphs" in log and "total: " in log and "longest path: " in log
