"""Rules download_model and download_tokenizer: configuration, tokenizer and weights of a model of the hub."""

from memloc.run.rule import log, start

start(snakemake)

from memloc.data.download import fetch_model

settings = dict(snakemake.params.model)
folder = fetch_model(
    settings.pop("id"),
    settings.pop("revision"),
    snakemake.output[0],
    weights=snakemake.params.weights,
    **settings,
)
for path in sorted(folder.iterdir()):
    log(f"{path}: {path.stat().st_size:,} bytes")
