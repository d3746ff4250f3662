"""Rule detect: folds that share no text, and how well each set of features detects recitation."""

from memloc.tables.job import start

job = start(snakemake)

import numpy as np

from memloc.data.alike import near_duplicates
from memloc.data.places import joined
from memloc.data.sets import exposure
from memloc.detection.feature_sets import feature_sets
from memloc.detection.groups import folds
from memloc.detection.judging import detection
from memloc.run.seeds import generator

settings = job.settings
pieces = job.batches("prefix_features", ["id"])
ids = np.unique(np.concatenate([piece.id.unique() for piece in pieces]))
columns = ["id", "count", "continuation_count", "near_count", "unseen", "file", "tokens"]
rows = job.read("paragraphs", columns, ids).merge(job.read("scores", ["id", "em"], ids), on="id")
tokens = np.stack(rows.tokens)
rows = rows.assign(exposure=exposure(rows), recited=rows.em == settings.paragraph.continuation)
rows["cluster"] = near_duplicates(tokens)
# Where the file is missing, each paragraph is a file of its own. Copies join files of real code into one.
files = rows.file.fillna("paragraph " + rows.id.astype(str)).to_numpy(str)
of_code = rows.near_count.notna().all()  # they are counted there only
rows["group"] = rows.cluster if of_code else joined(files, rows.cluster.to_numpy())
draw = int(generator(job.seed, "detection", "folds").integers(2**31))
rows["fold"] = folds(rows.recited.to_numpy(), rows.group.to_numpy(), draw)

pieces = job.batches("prefix_features")
sets = feature_sets(
    pieces, rows.id.to_numpy(), tokens[:, : settings.paragraph.prefix], rows.exposure.to_numpy()
)
found = detection(rows, sets)
job.write(detection=found)
