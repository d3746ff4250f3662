"""Rule download_release: the two files of the published Pile subset that this paragraph length needs."""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

from memloc.data.download import fetch_members
from memloc.data.release import release_files

settings = job.params.release
names = release_files(job.params.length)
checksums = {name: settings["checksums"].get(name) for name in names}
fetch_members(
    settings["location"],
    names,
    Path(job.output[0]).parent,
    sha256=checksums,
)
