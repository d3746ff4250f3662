"""Rule download_model: configuration, tokenizer and safetensors weights of a model of the hub."""

from memloc.rule import log, start

start(snakemake)

from memloc.download import fetch_model

settings = snakemake.params.model
folder = fetch_model(
    settings["id"],
    settings["revision"],
    snakemake.output[0],
    endpoint=settings["endpoint"],
    sha256=settings["sha256"],
    allow_http=settings["allow_http"],
)
for path in sorted(folder.iterdir()):
    log(f"{path}: {path.stat().st_size:,} bytes")
