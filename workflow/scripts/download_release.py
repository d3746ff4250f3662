"""Rule download_release: the two files of the published Pile subset that this paragraph length needs."""

from memloc.run.rule import log, start

start(snakemake)

from pathlib import Path

from memloc.data.download import fetch_members
from memloc.data.release import release_files

settings = snakemake.params.release
names = release_files(snakemake.params.length)
checksums = dict(zip(names, (settings["prompts_sha256"], settings["counts_sha256"]), strict=True))
paths = fetch_members(
    settings["location"],
    names,
    Path(snakemake.output[0]).parent,
    sha256=checksums,
    allow_http=snakemake.params.network["allow_http"],
)
for path in paths:
    log(f"{path}: {path.stat().st_size:,} bytes from {settings['location']}")
