"""The target `bench` from end to end, at a tiny size; with all comparisons in `make test-all`."""

import re
from pathlib import Path

import pytest
import yaml

from memloc.bench.run import RUNS
from memloc.settings.running import COMPARISONS
from memloc.tables import storage
from memloc.tables.schemas import schema_of

PUBLISHED = (Path(__file__).parents[2] / "docs/benchmarks.md").read_text()
STAGES = re.findall(r"^\| `(\w+)` \|", PUBLISHED, re.MULTILINE)
FEW = ("scoring", "parameter_gradients")
CONFIG = "config/bench-tiny.yaml"


@pytest.fixture(scope="module", params=[FEW, pytest.param(STAGES, marks=pytest.mark.slow)], ids=len)
def stages(request, own_clone):
    """What is compared."""
    if request.param is FEW:
        few = f"COMPARISONS = {FEW}\n_ = (\n"
        own_clone.edit("workflow/memloc/settings/running.py", "COMPARISONS = (\n", few)
    return set(request.param)


@pytest.fixture(scope="module")
def results(own_clone, stages):
    """Results of a fresh clone in which nothing but the benchmark has run."""
    study = yaml.safe_load((own_clone.folder / "config/bench.yaml").read_text())
    tiny = study | {"study": "bench-tiny", "bench": {"size": "tiny"}, "shards": 2, "micro_batch": 4}
    (own_clone.folder / CONFIG).write_text(yaml.safe_dump(tiny))
    own_clone.snakemake("--cores", "2", "bench", config=CONFIG)
    return own_clone.folder / "results/bench-tiny"


def test_what_is_named_is_what_can_be_compared():
    assert tuple(RUNS) == COMPARISONS


def test_every_stage_of_the_published_page_is_compared_and_timed(results, stages):
    frame = storage.read(schema_of("bench"), results / "tables/bench.parquet").set_index("stage")
    assert set(frame.index) == stages
    positive = frame.drop(columns=["item", "difference"])
    assert (positive > 0).all(axis=None)
    assert (frame["difference"] < 0.05).all()


def test_the_page_names_machine_command_and_goals(results, stages):
    page = (results / "benchmarks.md").read_text()
    stamp = storage.provenance(results / "tables/bench.parquet")
    assert stamp["machine"]["processor"] in page and stamp["versions"]["torch"] in page
    assert f"snakemake --cores 2 bench --configfile {CONFIG}" in page
    assert all(f"| `{stage}` |" in page for stage in stages)
    assert not re.search(r"[{}]|\bnan\b", page)


def test_comparisons_that_are_lost_are_done_again_by_themselves(own_clone, results):
    """The last test: others read the tables."""
    for lost in ("shards/bench_tables/bench/1-of-2", "tables/bench"):
        (results / f"{lost}.parquet").unlink()
    plan = own_clone.plan("results/bench-tiny/tables/bench.parquet", config=CONFIG)
    found = dict(re.findall(r"^(bench\w*) +(\d+)$", plan, re.MULTILINE))
    assert found == {"bench_tables": "1", "bench_tables_shard": "1"}
