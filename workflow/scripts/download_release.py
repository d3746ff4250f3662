"""Rule download_release: the two files of the published Pile subset that this paragraph length needs."""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

from memloc.data.download import fetch_members
from memloc.data.release import release_files

settings, folder = job.params.release, Path(job.output[0]).parent
fetch_members(settings["location"], release_files(job.params.length), folder, sha256=settings["checksums"])
