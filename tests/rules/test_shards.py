"""The setting `shards`: more jobs, and not a byte of the tables is another."""

import shutil
from pathlib import Path

import pytest
import yaml
from jobs import ROOT, SHARDED, STORED, jobs, scripts_here

RULES = SHARDED.keys() | {"unlearn_paragraphs", "edit_paragraphs"}


def made(folder: Path, shards: int) -> Path:
    """Results of the stored study, its stages that can be sharded made anew, removal too."""
    settings = yaml.safe_load((ROOT / "tests/rules/study.yaml").read_text()) | {"shards": shards}
    settings["micro_batch"] = 4  # else the few paragraphs are one job's
    complete = yaml.safe_load((ROOT / "config/test.yaml").read_text())
    settings["remove"] = complete["remove"]
    folder.mkdir()
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    shutil.copytree(STORED, folder / "results/stored", ignore=shutil.ignore_patterns("parts"))
    with scripts_here(folder) as run:
        for script, snakemake in jobs(ROOT, folder / "config.yaml", *SHARDED).values():
            if snakemake.rule.removesuffix("_shard") in RULES:
                run(script, snakemake)
    return folder / "results/stored"


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Results of one job per stage and of two."""
    folder = tmp_path_factory.mktemp("shards")
    return made(folder / "one", 1), made(folder / "two", 2)


@pytest.mark.parametrize("stage", SHARDED)
def test_tables_do_not_depend_on_the_number_of_shards(stage, both):
    one, two = both
    for name in SHARDED[stage]:
        parts = list(two.glob(f"shards/*/{name}"))
        assert parts and all(len(list(folder.glob("?-of-2.parquet"))) == 2 for folder in parts)
        assert not list(one.glob(f"shards/*/{name}"))
        tables = [results / f"tables/{name}.parquet" for results in both]
        assert tables[0].read_bytes() == tables[1].read_bytes()
