"""Rule index: one index of all shards, with the tokenizer that says what its token ids are."""

from memloc.tables.job import start

job = start(snakemake)

import os
import shutil
from pathlib import Path

from memloc.data import suffix_arrays
from memloc.model import pretrained
from memloc.run.atomic import atomic_folder

with atomic_folder(job.output[0]) as folder:
    for number, shard in enumerate(map(Path, job.input.shards)):
        for name in suffix_arrays.FILES:
            os.link(shard / f"{name}.0", folder / f"{name}.{number}")  # no copy: they may be terabytes
    tokenizer = folder / suffix_arrays.TOKENIZER
    pretrained.load_tokenizer(job.input.folder).save_pretrained(tokenizer)
    shutil.copy(Path(job.input.folder) / "config.json", tokenizer)
index = suffix_arrays.open_index([job.output[0]], None)
job.log(f"{len(job.input.shards)} shards, {index.n_tokens:,} tokens of {index.width} bytes")
