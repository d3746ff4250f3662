"""Rule bundle: all results of a study, with what made them, as one file that machines can read."""

from memloc.run.rule import log, start

start(snakemake)

from pathlib import Path

from memloc.record.crate import record
from memloc.run.atomic import atomic_path
from memloc.run.steps import Step, needed

params = snakemake.params
steps = needed([Step(**rule) for rule in params.ran], snakemake.input)
folder = Path(snakemake.output[0]).parent
crate = record(params.study, folder, steps, {place: Path(path) for place, path in params.code_files.items()})
log(f"{len(steps)} rules, {len(crate.data_entities)} files")
with atomic_path(snakemake.output[0]) as temporary:
    crate.write_zip(temporary)
