"""Rule bench_tables: time and memory of every stage, next to straightforward implementations."""

from memloc.rule import log, provenance, start

start(snakemake)

from pathlib import Path

from memloc import tables
from memloc.bench import run
from memloc.bench.stages import Bench

settings = snakemake.params.settings
stages = ("scores", "perturbation", "patching", "parameter_gradients", "editing")
options = {name: settings[name] for name in ("paragraph", *stages)}
bench = Bench(Path(snakemake.input.folder), settings["bench"], options, snakemake.params.seed)

stamp = provenance(snakemake) | {"machine": run.machine(), "threads": snakemake.threads}
growth = run.growth(bench, log)
tables.write("bench_growth", growth, snakemake.output.growth, stamp)
tables.write("bench", run.compare(bench, log), snakemake.output.bench, stamp)
