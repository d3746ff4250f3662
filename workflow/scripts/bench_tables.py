"""Rule bench_tables: time and memory of every stage, next to straightforward implementations."""

from memloc.run.rule import log, provenance, start

start(snakemake)

from pathlib import Path

from memloc.bench import run
from memloc.bench.subject import Bench
from memloc.data.paragraphs import token_tensor
from memloc.run.shards import shard_rows
from memloc.settings.bench import COMPARISONS
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schemas.bench import BENCH, BENCH_GROWTH, BENCH_TEXTS

settings = sections(snakemake.params.settings)
bench = Bench(Path(snakemake.input.folder), settings.bench, settings, snakemake.params.seed)
own = token_tensor(storage.read(BENCH_TEXTS, snakemake.input.texts)["tokens"])
chosen = shard_rows(len(COMPARISONS), *snakemake.params.shard, micro_batch=1)

stamp = provenance(snakemake) | {"machine": run.machine(), "threads": snakemake.threads}
with storage.writer(BENCH_GROWTH, snakemake.output.growth, stamp) as growth:
    if 0 in chosen:
        growth.append(run.growth(bench, log))
names = [COMPARISONS[number] for number in chosen]
storage.write(BENCH, run.compare(bench, names, own, log), snakemake.output.bench, stamp)
