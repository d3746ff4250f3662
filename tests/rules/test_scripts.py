"""Every script by itself, on the small stored tables of `study.yaml`: it makes again what is stored."""

import copy
from pathlib import Path

import numpy as np
import pytest
from jobs import LEARNED, NOT_STORED, STORED, stored_jobs
from stored_files import assert_equal

from memloc.model import loading
from memloc.tables import storage
from memloc.tables.columns import TableError
from memloc.tables.schemas import schema_of


@pytest.mark.parametrize("name", sorted(stored_jobs().keys() - NOT_STORED - {LEARNED}))
def test_a_script_makes_what_is_stored(name, run, study):
    script, snakemake = stored_jobs()[name]
    run(script, snakemake)
    assert "{'" not in Path(snakemake.log[0]).read_text(), "the console shows what the code calls things"
    try:
        for path in snakemake.output:
            assert_equal(Path(path), STORED / Path(path).relative_to("results/stored"))
    except (AssertionError, TableError) as error:
        error.add_note("If this change is meant, store the tables anew: python tests/rules/store.py")
        raise


def test_training_learns_what_the_stored_one_did(run, study):
    script, snakemake = stored_jobs()[LEARNED]
    run(script, snakemake)
    paths = (snakemake.output.training_curve, STORED / "tables/training_curve.parquet")
    made, stored = (storage.read(schema_of("training_curve"), path) for path in paths)
    assert made.step.tolist() == stored.step.tolist()
    np.testing.assert_allclose(made.loss.iloc[0], stored.loss.iloc[0], rtol=1e-3)
    np.testing.assert_allclose(made.loss.iloc[-5:].mean(), stored.loss.iloc[-5:].mean(), rtol=0.2)
    folders = (Path(snakemake.output.folder), STORED / "model")
    assert len({frozenset(path.name for path in folder.iterdir()) for folder in folders}) == 1


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_model_is_identified_in_the_type_that_its_memory_is_estimated_for(dtype, run, study, monkeypatch):
    script, snakemake = stored_jobs()["model"]
    load, loaded = loading.load_model, []

    def load_and_keep(*arguments):
        loaded.append(load(*arguments))
        return loaded[-1]

    monkeypatch.setattr(loading, "load_model", load_and_keep)
    other = copy.deepcopy(snakemake)
    other._params_store[list(snakemake.params).index("float32")] = dtype
    run(script, other)
    assert [str(model.dtype) for model in loaded] == [f"torch.{dtype}"]
