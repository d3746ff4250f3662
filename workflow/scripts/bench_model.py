"""Rule bench_model: a GPT-Neo with random weights, saved as an ordinary folder, and what it recites."""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

from memloc.bench import run
from memloc.bench.subject import Bench, random_model
from memloc.run.atomic import atomic_folder

settings, folder = job.settings, Path(job.output.folder)
with atomic_folder(folder) as temporary:
    random_model(settings.bench, job.seed).save_pretrained(temporary)
texts = run.texts(Bench(folder, settings.bench, settings, job.seed))
job.write(bench_texts=texts)
