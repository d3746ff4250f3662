"""Rule download_files: files of text or of token ids whose addresses are in section `data`."""

from memloc.run.rule import log, start

start(snakemake)

from memloc.data.download import fetch_file

params = snakemake.params
for address, path in zip(params.addresses, snakemake.output, strict=True):
    checksum = params.sha256.get(address.rpartition("/")[2])
    fetched = fetch_file(address, path, sha256=checksum, allow_http=params.network["allow_http"])
    log(f"{fetched}: {fetched.stat().st_size:,} bytes from {address}")
