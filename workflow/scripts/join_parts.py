"""Joins parts of tables that several jobs wrote: the shards of a stage, or both objectives of the edits."""

from memloc.run.rule import log, start

start(snakemake)

from memloc.tables import storage
from memloc.tables.schemas import schema_of

for name, path in snakemake.output.items():
    parts = snakemake.input[name]
    parts = [parts] if isinstance(parts, str) else parts
    origin = storage.provenance(parts[0]) | {"rule": snakemake.rule}
    with storage.writer(schema_of(name), path, origin) as table:
        for part in parts:
            for rows in storage.batches(schema_of(name), part):
                table.append(rows)
    log(f"{name}: {len(parts)} parts")
