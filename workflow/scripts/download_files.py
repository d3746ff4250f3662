"""Rule download_files: files of text or of token ids whose addresses are in section `data`."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.data.download import fetch_file

params = job.params
for address, path in zip(params.addresses, job.output, strict=True):
    checksum = params.sha256.get(address.rpartition("/")[2])
    fetch_file(address, path, sha256=checksum)
