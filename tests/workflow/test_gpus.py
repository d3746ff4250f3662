"""Jobs of one machine with several GPUs, pretended ones, each see their own."""

import re


def test_two_jobs_at_a_time_see_different_gpus(editable, monkeypatch):
    names = ("token_statistics", "compare_activation_gradients")
    tables = [
        editable.results / f"tables/{name}.parquet" for name in ("token_statistics", "activation_similarity")
    ]
    before = [path.read_bytes() for path in tables]
    for path in tables:
        path.unlink()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,6")
    editable.snakemake("tables", "--profile", "profiles/multi-gpu", "--cores", "2", "--resources", "gpu=2")
    logs = [(editable.results / f"logs/{name}.log").read_text() for name in names]
    assert sorted(gpu for text in logs for gpu in re.findall(r"GPU (.+)", text)) == ["5", "6"]
    assert [path.read_bytes() for path in tables] == before
