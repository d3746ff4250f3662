"""Rule bench_tables: time and memory of every stage, next to straightforward implementations."""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

from memloc.bench import run
from memloc.bench.subject import Bench
from memloc.data.paragraphs import token_tensor
from memloc.settings.bench import COMPARISONS

settings = job.settings
bench = Bench(Path(job.input.folder), settings.bench, settings, job.seed)
own = token_tensor(job.read("bench_texts").tokens)
chosen = job.shard(len(COMPARISONS))

job.stamp |= {"machine": run.machine(), "threads": job.threads}
with job.writing("bench_growth") as append:
    if 0 in chosen:
        append(bench_growth=run.growth(bench, job.log))
names = [COMPARISONS[number] for number in chosen]
job.write(bench=run.compare(bench, names, own, job.log))
