"""Rule bench_tables: time and memory of every stage, next to straightforward implementations."""

from memloc.run.rule import log, provenance, start

start(snakemake)

from pathlib import Path

from memloc.bench import run
from memloc.bench.subject import Bench
from memloc.tables import storage
from memloc.tables.schemas.bench import BENCH, BENCH_GROWTH

settings = snakemake.params.settings
stages = ("scores", "perturbation", "patching", "parameter_gradients", "editing")
options = {name: settings[name] for name in ("paragraph", *stages)}
bench = Bench(Path(snakemake.input.folder), settings["bench"], options, snakemake.params.seed)

stamp = provenance(snakemake) | {"machine": run.machine(), "threads": snakemake.threads}
growth = run.growth(bench, log)
storage.write(BENCH_GROWTH, growth, snakemake.output.growth, stamp)
storage.write(BENCH, run.compare(bench, log), snakemake.output.bench, stamp)
