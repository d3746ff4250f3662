"""Joins the shards of a stage: every table of it, as the one job would write it that computes all."""

from memloc.run.rule import log, start

start(snakemake)

from memloc.tables import storage
from memloc.tables.schemas import schema_of

for name, path in snakemake.output.items():
    parts = snakemake.input[name]
    parts = [parts] if isinstance(parts, str) else parts
    with storage.writer(schema_of(name), path, storage.provenance(parts[0])) as table:
        for part in parts:
            for rows in storage.batches(schema_of(name), part):
                table.append(rows)
    log(f"{name}: {len(parts)} parts")
