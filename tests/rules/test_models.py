"""Two models in one study, up to a figure across them, which needs the tables of both."""

import pandas as pd
import pytest
from jobs import made, settings

from memloc.tables import storage
from read_tables import read

MODELS = {"small": 16, "large": 32}  # widths


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Results of the stored study with two models in place of one."""
    given = settings(study="two")
    model = given.pop("model")
    given["models"] = {name: model | {"width": width} for name, width in MODELS.items()}
    folder, figure = tmp_path_factory.mktemp("models"), "models_memorized"
    for name in MODELS:
        made(folder, given, f"{name}_sets")
    return made(folder, given, figure, chosen=figure.__eq__)


def test_members_are_trained_on_the_same_paragraphs_and_differ(results):
    pd.testing.assert_frame_equal(*(read(results / name, "paragraphs") for name in MODELS))
    stamps = [storage.provenance(results / f"{name}/tables/sets.parquet") for name in MODELS]
    assert [stamp["study"] for stamp in stamps] == ["two/small", "two/large"]
    small, large = (stamp["model"] for stamp in stamps)
    assert small["sha256"] != large["sha256"] and small["n_parameters"] < large["n_parameters"]


def test_the_plotted_fractions_are_those_of_the_tables(results):
    plotted = pd.read_csv(results / "figures/models_memorized.csv").query("panel == 'a'").set_index("model")
    assert list(plotted.index) == list(MODELS) and (plotted["n_memorized"] > 0).any()
    for name in MODELS:
        sets = read(results / name, "sets")["set"]
        assert plotted.loc[name, "n_memorized"] == (sets == "memorized").sum()
        assert plotted.loc[name, "n_paragraphs"] == (sets != "unseen").sum() < len(sets)
