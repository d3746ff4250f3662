"""Rule bench_tables: time and memory of every stage, next to straightforward implementations."""

from memloc.run.rule import log, provenance, start

start(snakemake)

from pathlib import Path

from memloc.bench import run
from memloc.bench.subject import Bench
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schemas.bench import BENCH, BENCH_GROWTH

settings = sections(snakemake.params.settings)
bench = Bench(Path(snakemake.input.folder), settings.bench, settings, snakemake.params.seed)

stamp = provenance(snakemake) | {"machine": run.machine(), "threads": snakemake.threads}
growth = run.growth(bench, log)
storage.write(BENCH_GROWTH, growth, snakemake.output.growth, stamp)
storage.write(BENCH, run.compare(bench, log), snakemake.output.bench, stamp)
