"""Time limits of jobs by the estimate: another estimate changes limits, and reruns nothing."""

import yaml
from describe_rules import Rules
from projects import STUDY

from memloc.resources import cost, shapes
from memloc.settings.study import Settings
from memloc.tables import storage
from memloc.tables.schemas import schema_of


def limits(project):
    """Minutes of the first and the second try of every rule, now."""
    rules = Rules.of.__wrapped__(project.folder, STUDY)
    return {rule["name"]: rule["growth"]["runtime"] for rule in rules.jobs}


def test_an_estimate_gives_the_limits_of_what_runs_the_model_and_reruns_nothing(editable):
    jobs, before = editable.jobs(), limits(editable)
    editable.snakemake("--cores", "1", "estimate", "--config", "estimate={machine: h100}")
    table = editable.results / "benchmarks/estimate.parquet"
    frame = storage.read(schema_of("estimate"), table)
    assert set(frame.machine) == {"NVIDIA H100"} and {"scores", "run_config"} <= set(frame.rule)
    storage.write(schema_of("estimate"), frame.assign(seconds=6001.0), table, storage.provenance(table))
    after = limits(editable)
    settings = Settings.model_validate(yaml.safe_load((editable.folder / STUDY).read_text()))
    estimated = set(frame.rule) & set(cost.passes(shapes.shape_of(settings, "unknown"), settings))
    assert len(estimated) > 15 and after == before | dict.fromkeys(estimated, [301, 602])
    assert editable.jobs() == jobs
