"""The setting `shards` in the workflow: more jobs, and not a byte of the tables is another."""

import shutil

STAGES = {
    "scores": ("scores",),
    "perturbation": ("perturbation", "perturbed_paragraphs"),
    "patching": ("patching", "attribution_patching"),
    "residual_patching": ("residual_patching",),
    "edits": ("edits", "edit_trajectories"),
    "plant_paragraphs": ("plants", "planted_truth", "planted_curves"),
    "remove": ("removal", "removal_damage", "removal_sweep"),
}


def test_one_shard_needs_no_job_more(clone):
    jobs = clone.jobs("--config", "shards=1")
    assert jobs == clone.jobs() and not [rule for rule in jobs if "shard" in rule]


def test_a_stage_has_no_more_shards_than_work(clone):
    jobs = clone.jobs(*STAGES, "--config", "shards=100")
    # 12 sampled paragraphs in micro-batches of 4, 6 pairs, 3 edited, 3 planted of each kind; how many are
    # scored is not known yet.
    most = {"scores": 100, "perturbation": 3, "patching": 6, "residual_patching": 6}
    most |= {"unlearn_paragraphs": 3, "edit_paragraphs": 3, "plant_paragraphs": 3, "remove": 4}
    assert {stage: jobs[f"{stage}_shard"] for stage in most} == most


def test_tables_do_not_depend_on_the_number_of_shards(editable):
    paths = [editable.results / f"tables/{name}.parquet" for names in STAGES.values() for name in names]
    before = {path.name: path.read_bytes() for path in paths}
    for path in paths:
        path.unlink()
    shutil.rmtree(editable.results / "parts")  # of `edits`
    options = ("--config", "shards=2", "--rerun-triggers", "mtime")
    editable.snakemake("--cores", "2", *STAGES, *options)
    for path in paths:
        parts = list(editable.results.glob(f"shards/*/{path.stem}"))
        assert parts and all(len(list(folder.glob("?-of-2.parquet"))) == 2 for folder in parts)
    assert {path.name: path.read_bytes() for path in paths} == before
