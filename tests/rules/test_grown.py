"""A study in which memories grow: the model, its twins, and what methods are asked about them."""

import shutil
from pathlib import Path

import pytest
from jobs import ROOT, STORED, jobs, made, removal_settings, scripts_here, settings
from safetensors.numpy import load_file

from memloc.tables import storage
from memloc.tables.schemas import schema_of
from read_tables import read

KIND = "grown_heads"
METHODS = {"weight_size", "parameter_gradient", "oracle"}
ASKED = "ask_methods"


def wider(shards=1, **model):
    """Settings of a study with a wider model than the stored one has."""
    given = settings(shards=shards, grown_truth={"integration_steps": 2})
    given["model"] |= {"n_heads": 4, "width": 64, "learning_rate": 0.004, **model}
    return given


def made_anew(folder, target, **model):
    """Results of such a study of the stored paragraphs."""
    shutil.copytree(STORED, folder / "results/stored")
    shutil.rmtree(folder / "results/stored/model")
    return made(folder, wider(**model), target, chosen="paragraphs".__ne__)


GROWN = {"kinds": [KIND], "n_memories": 2, "start": 0.8}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Results of a study with two memories of a kind."""
    return made_anew(tmp_path_factory.mktemp("grown"), "grown_truth", grown=GROWN)


def test_the_twin_in_which_nothing_grows_is_the_model_of_a_study_without_memories(results, tmp_path):
    folder = made_anew(tmp_path, "results/stored/model")
    plain, never, own, swapped = (
        load_file(each / "model.safetensors")
        for each in (folder / "model", results / "twins/never", results / "model", results / "twins/swapped")
    )
    assert all((plain[name] == never[name]).all() for name in plain)
    for one, other in ((own, never), (swapped, never), (own, swapped)):
        assert any((one[name] != other[name]).any() for name in plain)


def test_memories_are_left_out_of_everything_else_and_their_places_are_exchanged(results):
    grown, twins = read(results, "grown"), read(results, "twins")
    assert (grown["exposures"] > 0).all() and grown["kind"].tolist() == [KIND] * 2
    dropped = read(results, "dropped_paragraphs").set_index("id")["reason"]
    assert set(dropped.loc[grown["id"]]) == {"grown"}
    assert not set(grown["id"]) & set(read(results, "scores")["id"])
    assert twins["id"].tolist() == 2 * grown["id"].tolist()
    assert twins["nll"].iloc[:2].tolist() == pytest.approx(grown["nll"].tolist(), rel=1e-4)
    assert (twins["nll"] < twins["nll_never"]).all()
    assert (twins["nll_before"] > twins["nll"]).all() and (twins["nll_carried"] < twins["nll_never"]).all()


def test_places_are_those_of_the_table(results, tmp_path):
    """Not drawn again: in another table, the memories have each other's places."""
    folder = Path(shutil.copytree(results.parents[1], tmp_path / "project", symlinks=True))
    path, grown = folder / "results/stored/tables/grown.parquet", read(results, "grown")
    other = grown.assign(**{name: grown[name].tolist()[::-1] for name in ("place", "layer", "units")})
    storage.write(schema_of("grown"), other, path, storage.provenance(path))
    with scripts_here(folder) as run:
        due = jobs(ROOT, folder / "config.yaml", "results/stored/tables/twins.parquet")
        run(*due["exchange_places"])
    twins = read(folder / "results/stored", "twins")
    assert twins["place"].tolist() == [*other["place"], *grown["place"]]
    assert twins["norm"].tolist() != read(results, "twins")["norm"].tolist()


def test_methods_are_asked_in_the_model_and_in_both_twins(results):
    twins, asked = read(results, "twins"), read(results, "grown_truth")
    recited = twins[twins["em"] == 12]
    assert len(recited), "no memory took"
    labels = ["kind", "memory"]
    assert asked[labels].drop_duplicates().values.tolist() == recited[labels].values.tolist()
    for memory in recited.itertuples():
        own = asked[(asked["kind"] == memory.kind) & (asked["memory"] == memory.memory)]
        assert set(own["id"]) == {memory.id} and set(own["asked_model"]) == {"own", "twin", "never"}
        assert set(own["method"]) >= METHODS
    for name in ("twins", "grown_precision"):
        assert (results / f"figures/{name}.png").stat().st_size > 1000


def test_the_table_does_not_depend_on_the_number_of_shards(results):
    table, folder = results / "tables/grown_truth.parquet", results.parents[1]
    whole = table.read_bytes()
    made(folder, wider(2, grown=GROWN), ASKED, chosen=ASKED.__eq__)
    assert len(list(results.glob(f"shards/{ASKED}/grown_truth/?-of-2.parquet"))) == 2
    assert table.read_bytes() == whole


def test_every_way_is_tried_on_memories_of_a_kind_wherever_it_may_write(results, tmp_path):
    folder = Path(shutil.copytree(results.parents[1], tmp_path / "project", symlinks=True))
    given = wider(grown=GROWN) | {"remove": removal_settings(ways=["top", "random"], relearning_limit=0)}
    found = read(made(folder, given, "removal_of_grown", chosen="remove_grown".__eq__), "removal_of_grown")
    assert found["way"].tolist() == ["top"] * 3 + ["random"] * 3
    assert found["arm"].tolist() == 2 * ["free", "place", "elsewhere"]
    assert found["id"].unique().tolist() == [read(results, "grown")["id"].iloc[0]]
