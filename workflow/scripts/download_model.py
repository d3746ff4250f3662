"""Rules download_model and download_tokenizer: configuration, tokenizer and weights of a model of the hub."""

from memloc.run.rule import log, start

start(snakemake)

from memloc.data.download import fetch_model

params = snakemake.params
model = dict(params.model)
name = model.pop("id")
folder = fetch_model(name, folder=snakemake.output[0], weights=params.weights, **model, **params.network)
for path in sorted(folder.iterdir()):
    log(f"{path}: {path.stat().st_size:,} bytes")
