"""Every script by itself, on the small stored tables of `study.yaml`: it makes again what is stored."""

from pathlib import Path

import numpy as np
import pytest
from jobs import LEARNED, NOT_STORED, STORED, outputs, stored_jobs
from stored_files import assert_equal

from memloc.tables import storage
from memloc.tables.columns import TableError
from memloc.tables.schemas import schema_of


@pytest.mark.parametrize("name", sorted(stored_jobs().keys() - NOT_STORED - {LEARNED}))
def test_a_script_makes_what_is_stored(name, run, study):
    script, snakemake = stored_jobs()[name]
    run(script, snakemake)
    assert "{'" not in Path(snakemake.log[0]).read_text(), "the console shows what the code calls things"
    try:
        for path in outputs(snakemake):
            assert_equal(path, STORED / path.relative_to("results/stored"))
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
