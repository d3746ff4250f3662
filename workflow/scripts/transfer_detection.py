"""Rule transfer_detection: classifiers that are fitted to one model predict what another one recites."""

from memloc.tables.job import start

job = start(snakemake)

from collections.abc import Iterator

import numpy as np
import pandas as pd
import sklearn

from memloc.detection.feature_sets import feature_sets
from memloc.detection.transfer import Measured, comparable, transfer
from memloc.tables import storage
from memloc.tables.schemas.detection import DETECTION_FOLDS, PREFIX_FEATURES
from memloc.tables.schemas.paragraphs import PARAGRAPHS

n_prefix = job.settings.paragraph.prefix
n_seen = job.settings.detection.n_seen(n_prefix)[-1]


def at_whole_prefix(features: str) -> Iterator[pd.DataFrame]:
    """Rows of table `prefix_features`, piece by piece."""
    for piece in storage.batches(PREFIX_FEATURES, features):
        yield piece[piece.n_seen == n_seen]


def measured(features: str, folds: str, paragraphs: str) -> Measured:
    """One model, from the files of its tables."""
    rows = storage.read(DETECTION_FOLDS, folds)
    texts = storage.read(PARAGRAPHS, paragraphs, ["id", "unseen", "tokens"], rows.id)
    rows = rows.merge(texts, on="id", validate="one_to_one")
    tokens = np.stack(rows.tokens)
    sets = feature_sets(
        at_whole_prefix(features), rows.id.to_numpy(), tokens[:, :n_prefix], rows.exposure.to_numpy()
    )
    return Measured(rows.drop(columns="tokens"), tokens, comparable(sets[n_seen]))


files = (job.files(name) for name in ("prefix_features", "detection_folds", "paragraphs"))
models = {model: measured(*own) for model, *own in zip(job.params.models, *files, strict=True)}
# Checks at each of thousands of small fits would take a third of their time.
with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
    found = transfer(models, n_seen)
pairs = found[["trained_on", "tested_on"]].drop_duplicates()
job.log(f"{len(pairs)} of {len(models) ** 2} pairs of models, each with itself included")
job.write(detection_transfer=found)
