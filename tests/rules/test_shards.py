"""The setting `shards`: more jobs, and not a byte of the tables is another."""

import shutil
from pathlib import Path

import pytest
from jobs import SHARDED, STORED, made, removal_settings, settings


def sharded(folder: Path, shards: int) -> Path:
    """Results of the stored study, its stages that can be sharded made anew, removal too."""
    given = settings(shards=shards, remove=removal_settings())
    given["loading"] = {"micro_batch": 4}  # else the few paragraphs are one job's
    shutil.copytree(STORED, folder / "results/stored")
    return made(folder, given, *SHARDED, chosen=SHARDED.__contains__)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Results of one job per stage and of two."""
    folder = tmp_path_factory.mktemp("shards")
    return sharded(folder / "one", 1), sharded(folder / "two", 2)


@pytest.mark.parametrize("stage", SHARDED)
def test_tables_do_not_depend_on_the_number_of_shards(stage, both):
    one, two = both
    for name in SHARDED[stage]:
        parts = list(two.glob(f"shards/*/{name}"))
        assert parts and all(len(list(folder.glob("?-of-2.parquet"))) == 2 for folder in parts)
        assert not list(one.glob(f"shards/*/{name}"))
        tables = [results / f"tables/{name}.parquet" for results in both]
        assert tables[0].read_bytes() == tables[1].read_bytes()
