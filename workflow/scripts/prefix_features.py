"""Rule prefix_features: features of the prefixes of a sample, at every lead time."""

from memloc.tables.job import start

job = start(snakemake)

import zlib

import numpy as np

from memloc.data.filters import kept_rows
from memloc.data.paragraphs import token_tensor
from memloc.detection.features import prefix_features
from memloc.detection.prefix_table import draw_sample, feature_frames, scalar_features
from memloc.model import loading

settings = job.settings
how, n_prefix = settings.detection, settings.paragraph.prefix
paragraphs = job.read("paragraphs", ["id", "count", "continuation_count", "unseen", "held_out"])
paragraphs = paragraphs[paragraphs.unseen | ~paragraphs.held_out]
dropped = job.read("dropped_paragraphs").id
kept = paragraphs.iloc[kept_rows(paragraphs.id, dropped)]
ids = draw_sample(kept, how.n_repeated, how.n_others, job.seed).id.to_numpy()

subject = loading.load(job.input.folder, settings, 32)
sampled = job.read("paragraphs", ["id", "tokens"], ids).set_index("id")
prefix, n_seen = token_tensor(sampled.tokens.loc[ids])[:, :n_prefix], how.n_seen(n_prefix)
texts = [subject.tokenizer.batch_decode(prefix[:, :n].tolist()) for n in n_seen]
n_bytes = np.array([[len(zlib.compress(text.encode())) for text in lead] for lead in texts]).T
found = prefix_features(subject, prefix, n_seen)
scalars = scalar_features(found, n_bytes, n_seen)
with job.writing() as append:
    for frame in feature_frames(ids, found, scalars, n_seen):
        append(prefix_features=frame)
