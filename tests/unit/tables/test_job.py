"""A script's job: settings, tables by name, and what tables say of their origin."""

import json
from types import SimpleNamespace

import pandas as pd
import pytest
from made_tables import scores, write_without
from snakemake.iocontainers import InputFiles, OutputFiles

from memloc.tables import storage
from memloc.tables.columns import TableError
from memloc.tables.job import LIBRARIES, Job
from memloc.tables.schemas import schema_of

LENGTHS = {"length": 6, "prefix": 4}


def job(rule="job", inputs=(), outputs=(), shard=(0, 1), **settings):
    params = {"study": "x", "seed": 3, "settings": {"paragraph": LENGTHS, **settings}, "code": "abc"}
    return Job(
        SimpleNamespace(
            rule=rule,
            threads=1,
            resources={},
            input=InputFiles(fromdict=dict(inputs)),
            output=OutputFiles(fromdict=dict(outputs)),
            params=SimpleNamespace(shard=shard, **params),
        )
    )


@pytest.fixture
def stored(tmp_path):
    """Files of the first five rows of table `scores`, and of the others."""
    files = [str(tmp_path / f"{part}.parquet") for part in range(2)]
    for file, rows in zip(files, (scores()[:5], scores()[5:]), strict=True):
        job(outputs={"scores": file}).write(scores=rows)
    return files


def test_a_table_is_read_by_its_name_whole_or_in_part(stored):
    one = job(inputs={"scores": stored[0], "folder": "any"})
    assert one.tables == ["scores"]
    pd.testing.assert_frame_equal(one.read("scores"), scores()[:5])
    assert one.read("scores", ["id", "em"], [3, 1]).to_dict("list") == {"id": [1, 3], "em": [1, 2]}
    assert [piece.id.tolist() for piece in one.batches("scores", ["id"], range(1, 3))] == [[1, 2]]


def test_parts_of_a_table_follow_each_other_in_the_columns_that_all_of_them_have(stored, tmp_path):
    """Also where older code wrote one of them."""
    both = job(inputs={"scores": stored})
    pd.testing.assert_frame_equal(both.read("scores"), scores())
    pd.testing.assert_frame_equal(pd.concat(both.batches("scores"), ignore_index=True), scores())
    write_without("margin", scores(), tmp_path / "older.parquet")
    found = job(inputs={"scores": [stored[0], str(tmp_path / "older.parquet")]}).read("scores")
    assert list(found) == [*scores().drop(columns="margin")] and len(found) == 13


def test_pieces_become_the_file_that_the_whole_table_is(tmp_path):
    whole, pieces = (tmp_path / f"{name}.parquet" for name in ("whole", "pieces"))
    job(outputs={"scores": str(whole)}).write(scores=scores())
    with job(outputs={"scores": str(pieces), "folder": "any"}).writing() as append:
        for rows in (scores()[:2], pd.DataFrame(), scores()[2:]):
            append(scores=rows)
    assert pieces.read_bytes() == whole.read_bytes()


def test_a_job_that_fails_leaves_none_of_its_tables(tmp_path):
    outputs = {"scores": tmp_path / "scores.parquet", "dropped_paragraphs": tmp_path / "dropped.parquet"}
    failed = job(outputs={name: str(path) for name, path in outputs.items()})
    with pytest.raises(TableError, match="table scores"):
        failed.write(dropped_paragraphs=pd.DataFrame(), scores=scores(em=9))
    assert not any(path.exists() for path in outputs.values())


def test_the_stamp_names_the_origin(tmp_path):
    description = tmp_path / "model.json"
    description.write_text(json.dumps({"name": "gpt", "sha256": "12"}))
    stamp = job("job_shard", {"model": str(description)}).stamp
    assert (stamp["study"], stamp["seed"], stamp["rule"], stamp["code"]) == ("x", 3, "job", "abc")
    assert stamp["model"] == {"name": "gpt", "sha256": "12"} and job().stamp["model"] is None
    assert stamp["versions"].keys() == {"python", *LIBRARIES}
    assert stamp["paragraph"] == LENGTHS and stamp["settings"] == {"paragraph": LENGTHS}
    assert json.loads(json.dumps(stamp)) == stamp


def test_the_stamp_depends_on_values_of_settings_alone():
    assert job(a=1, b=2).stamp == job(b=2, a=1).stamp
    hashes = {job(a=value).stamp["config_hash"] for value in (1, 2)}
    assert len(hashes) == 2 and {len(found) for found in hashes} == {16}


def test_a_script_adds_to_the_stamp_of_its_tables(tmp_path):
    made = job(outputs={"scores": str(tmp_path / "scores.parquet")})
    made.stamp["packages"] = ["a"]
    made.write(scores=scores())
    stamp = storage.provenance(tmp_path / "scores.parquet")
    assert stamp["packages"] == ["a"] and stamp["table"] == schema_of("scores").name
