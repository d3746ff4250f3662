"""Rule bench: the page that says how fast each stage is, on which machine, and which goals were met."""

from memloc.rule import start

start(snakemake)

from pathlib import Path

from memloc import tables
from memloc.atomic import atomic_path
from memloc.bench.page import page

paths = {name: snakemake.input[name] for name in ("bench", "bench_growth")}
frames = [tables.read(name, path) for name, path in paths.items()]
template = Path(snakemake.input.template).read_text()
with atomic_path(snakemake.output[0]) as temporary:
    Path(temporary).write_text(page(template, *frames, tables.provenance(paths["bench"])))
