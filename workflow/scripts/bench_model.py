"""Rule bench_model: a GPT-Neo with random weights, saved as an ordinary folder, and texts that it recites."""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

import pandas as pd

from memloc.bench.subject import Bench, own_texts, random_model
from memloc.run.atomic import atomic_folder

bench = Bench(Path(job.output.folder), job.settings, job.seed)
with atomic_folder(bench.folder) as temporary:
    random_model(bench.sizes, job.seed).save_pretrained(temporary)
job.write(bench_texts=pd.DataFrame({"tokens": list(own_texts(bench))}))
