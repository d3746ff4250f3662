"""Rule bench: the page that says how fast each stage is, on which machine, and which goals were met."""

from memloc.run.rule import start

start(snakemake)

from pathlib import Path

from memloc.bench.page import page
from memloc.run.atomic import atomic_path
from memloc.tables import storage
from memloc.tables.schema import by_name
from memloc.tables.schemas.bench import BENCH, BENCH_GROWTH

SCHEMAS = by_name(BENCH, BENCH_GROWTH)

paths = {name: snakemake.input[name] for name in ("bench", "bench_growth")}
frames = [storage.read(SCHEMAS[name], path) for name, path in paths.items()]
template = Path(snakemake.input.template).read_text()
with atomic_path(snakemake.output[0]) as temporary:
    Path(temporary).write_text(page(template, *frames, storage.provenance(paths["bench"])))
