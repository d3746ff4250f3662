"""Joins the shards of a stage: every table of it, as the one job would write it that computes all."""

from memloc.rule import log, start

start(snakemake)

from memloc import tables

for name, path in snakemake.output.items():
    parts = snakemake.input[name]
    parts = [parts] if isinstance(parts, str) else parts
    with tables.writer(name, path, tables.provenance(parts[0])) as table:
        for part in parts:
            for rows in tables.batches(name, part):
                table.append(rows)
    log(f"{name}: {len(parts)} parts")
