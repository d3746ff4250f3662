"""Joins parts of tables that several jobs wrote: the shards of a stage."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.tables import storage

for name in job.tables:
    job.stamp = storage.provenance(job.files(name)[0]) | {"rule": job.rule}
    with job.writing(name) as append:
        for rows in job.batches(name):
            append(**{name: rows})
