"""Time limits of jobs by the estimate: another estimate changes limits, and reruns nothing."""

from describe_rules import Rules
from projects import STUDY

from memloc.tables import storage
from memloc.tables.schemas import schema_of


def limits(project):
    """Minutes of the first and the second try of every rule, now."""
    rules = Rules.of.__wrapped__(project.folder, STUDY)
    return {rule["name"]: rule["growth"]["runtime"] for rule in rules.jobs}


def test_an_estimate_gives_the_limits_of_what_runs_the_model_and_reruns_nothing(editable):
    jobs, before = editable.jobs(), limits(editable)
    editable.snakemake("--cores", "1", "estimate")
    table = editable.results / "benchmarks/estimate.parquet"
    frame = storage.read(schema_of("estimate"), table)
    assert {"scores", "run_config"} <= set(frame.rule) and (frame.seconds > 0).all()
    storage.write(schema_of("estimate"), frame.assign(seconds=6001.0), table, storage.provenance(table))
    after = limits(editable)
    changed = {rule for rule in before if after[rule] != before[rule]}
    assert {"train_model", "scores", "edit_paragraphs"} <= changed and len(changed) > 15
    assert after == before | dict.fromkeys(changed, [301, 602])
    assert not changed & {"fig2", "claims", "model", "paragraphs"}
    assert editable.jobs() == jobs
