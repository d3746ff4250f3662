"""Rule bench_tables: time and memory of every stage, next to straightforward implementations."""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

from memloc.bench import run
from memloc.bench.subject import Bench
from memloc.data.paragraphs import token_tensor
from memloc.settings.running import COMPARISONS

bench = Bench(Path(job.input.folder), job.settings, job.seed)
own = token_tensor(job.read("bench_texts").tokens)
job.stamp |= {"machine": run.machine(), "threads": job.threads}
names = [COMPARISONS[number] for number in job.shard(len(COMPARISONS))]
job.write(bench=run.compare(bench, names, own, job.log))
