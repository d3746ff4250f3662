"""Rule download_files: files of text or of token ids whose addresses are in section `data`."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.data.download import fetch_file
from memloc.run.console import sized

params = job.params
for address, path in zip(params.addresses, job.output, strict=True):
    checksum = params.sha256.get(address.rpartition("/")[2])
    fetched = fetch_file(address, path, sha256=checksum)
    job.log(f"{fetched}: {sized(fetched.stat().st_size)} from {address}")
