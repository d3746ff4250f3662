"""The setting `shards` in the workflow: more jobs, and not a byte of the tables is another."""

import re
from functools import partial

from jobs import SHARDED
from kills import Moments, running, until


def test_a_stage_has_no_more_shards_than_work(clone):
    jobs = clone.jobs(*SHARDED, "--config", "shards=100")
    # 12 sampled paragraphs in micro-batches of 4, 6 pairs, 2 edits of 3; nobody knows how many are scored.
    most = {"scores": 100, "perturbation": 3, "patching": 6, "edit_paragraphs": 6, "remove": 4}
    assert {stage: jobs[f"{stage}_shard"] for stage in most} == most


def test_models_of_every_size_are_filled_whatever_shards_is(clone):
    jobs = clone.jobs("capacity", config="config/capacity.yaml")
    assert jobs["fill_models_shard"] == 5


def test_shards_of_one_machine_see_different_gpus_and_make_the_same_table(editable):
    """Pretended GPUs; of the scores, which take seconds. `tests/rules/test_shards.py` compares all stages."""
    table = editable.results / "tables/scores.parquet"
    before = table.read_bytes()
    table.unlink()
    moments, parts = Moments.of(editable), ["0-of-2.parquet", "1-of-2.parquet"]
    options = ("--profile", "profiles/multi-gpu", "--cores", "4", "--resources", "gpu=2")
    options += ("--config", "shards=2", "--rerun-triggers", "mtime")
    environment = moments.environment | {"CUDA_VISIBLE_DEVICES": "5,6"}
    for part in parts:
        moments.ask(part)
    with running(editable, "scores", *options, environment=environment) as process:
        for part in parts:
            until(process, partial(moments.held, part))
        for part in parts:
            moments.release(part)
        assert process.wait() == 0, (editable.folder / "console.txt").read_text()
    assert len(list(editable.results.glob("shards/scores/scores/?-of-2.parquet"))) == 2
    logs = [path.read_text() for path in (editable.results / "logs/scores").glob("?-of-2.log")]
    assert sorted(gpu for text in logs for gpu in re.findall(r"GPU (.+)", text)) == ["5", "6"]
    assert table.read_bytes() == before
