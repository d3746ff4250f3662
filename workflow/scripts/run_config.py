"""Rule run_config: the effective settings of the study, defaults included."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.run.atomic import write_text

write_text(job.output[0], job.params.effective)
