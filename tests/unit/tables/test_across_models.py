"""Tables of the models of a study, joined in the order of their models."""

import json

import pandas as pd
from made_tables import STAMP, frame_of, scores, write_without

from memloc.tables import across_models, storage
from memloc.tables.schemas import schema_of


def test_tables_of_members_are_joined_by_size(tmp_path):
    descriptions, tables = [], {"paragraphs": [], "dropped_paragraphs": []}
    for model, n_parameters in (("large", 10), ("small", 5)):
        descriptions.append(tmp_path / model / "model.json")
        descriptions[-1].parent.mkdir()
        descriptions[-1].write_text(json.dumps({"name": "x", "n_parameters": n_parameters}))
        own = {
            "paragraphs": frame_of("paragraphs", id=[n_parameters], text=model),
            "dropped_paragraphs": frame_of("dropped_paragraphs", id=[n_parameters]),
        }
        for name, frame in own.items():
            tables[name].append(tmp_path / model / f"tables/{name}.parquet")
            storage.write(schema_of(name), frame, tables[name][-1], STAMP)
    models = across_models.models_of(descriptions, {})
    assert models[["model", "n_parameters"]].values.tolist() == [["small", 5], ["large", 10]]
    assert models["step"].isna().all()
    found = across_models.joined(tables, models["model"], ("id", "text"))
    expected = {"id": [5, 10], "text": ["small", "large"], "model": ["small", "large"]}
    assert found["paragraphs"].to_dict("list") == expected
    assert found["dropped_paragraphs"]["model"].to_list() == ["small", "large"]


def test_checkpoints_of_one_size_are_in_the_order_of_their_steps(tmp_path):
    for model in ("late", "early"):
        (tmp_path / model).mkdir()
        (tmp_path / model / "model.json").write_text(json.dumps({"name": model, "n_parameters": 5}))
    descriptions = [str(tmp_path / model / "model.json") for model in ("late", "early")]
    models = across_models.models_of(descriptions, {"late": 20, "early": 3})
    assert models[["model", "step"]].values.tolist() == [["early", 3], ["late", 20]]


def test_runs_are_joined_in_the_columns_that_all_of_them_have(tmp_path):
    """Not with missing values where older code wrote the table of a run."""
    files = [tmp_path / f"{run}.parquet" for run in range(2)]
    storage.write(schema_of("scores"), scores(), files[0], STAMP)
    write_without("margin", scores(), files[1])
    found = across_models.joined({"scores": files}, pd.Series([0, 1], name="run"))["scores"]
    assert list(found) == [*scores().drop(columns="margin"), "run"] and len(found) == 16
