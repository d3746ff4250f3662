"""The setting `shards` in the workflow: more jobs, and not a byte of the tables is another."""

from jobs import SHARDED


def test_one_shard_needs_no_job_more(clone):
    jobs = clone.jobs("--config", "shards=1")
    assert jobs == clone.jobs() and not [rule for rule in jobs if "shard" in rule]


def test_a_stage_has_no_more_shards_than_work(clone):
    jobs = clone.jobs(*SHARDED, "--config", "shards=100")
    # 12 sampled paragraphs in micro-batches of 4, 6 pairs, 3 edited, 3 planted of each kind; how many are
    # scored is not known yet.
    most = {"scores": 100, "perturbation": 3, "patching": 6, "residual_patching": 6}
    most |= {"unlearn_paragraphs": 3, "edit_paragraphs": 3, "plant_paragraphs": 3, "remove": 4}
    assert {stage: jobs[f"{stage}_shard"] for stage in most} == most


def test_tables_do_not_depend_on_the_number_of_shards(editable):
    """Of two stages that take seconds. `tests/rules/test_shards.py` compares those of all stages."""
    names = ("scores", "perturbation", "perturbed_paragraphs", "kept_tokens")
    paths = [editable.results / f"tables/{name}.parquet" for name in names]
    before = [path.read_bytes() for path in paths]
    for path in paths:
        path.unlink()
    options = ("--config", "shards=2", "--rerun-triggers", "mtime")
    editable.snakemake("--cores", "2", "scores", "perturbation", *options)
    for name in names:
        (parts,) = editable.results.glob(f"shards/*/{name}")
        assert len(list(parts.glob("?-of-2.parquet"))) == 2
    assert [path.read_bytes() for path in paths] == before
